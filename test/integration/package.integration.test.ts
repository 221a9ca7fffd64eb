import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { VERSION } from '../../src/config/version.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const compiler = join(root, 'node_modules', '.bin', 'tsc');

/** A folder with the compiled package in its node_modules, as an installation from the registry lays it out. */
function installation(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tickcast-package-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'tickcast'), { recursive: true });
  copyFileSync(join(root, 'package.json'), join(modules, 'tickcast', 'package.json'));
  execFileSync(compiler, ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(modules, 'tickcast', 'dist')]);
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  return folder;
}

it('works as an installed package, compiled, from plain JavaScript and from its command', () => {
  const folder = installation();
  copyFileSync(join(root, 'test/support/installed-package.fixture.mjs'), join(folder, 'program.mjs'));
  const run = (...argv: string[]) =>
    execFileSync(process.execPath, argv, { cwd: folder, encoding: 'utf8', timeout: 20_000 });
  expect(run('program.mjs')).toBe(`${VERSION} Y 1\n`);
  const { bin } = createRequire(import.meta.url)('tickcast/package.json') as { bin: { tickcast: string } };
  expect(run(join('node_modules/tickcast', bin.tickcast), '--version')).toBe(`${VERSION}\n`);
  expect(run(join('node_modules/tickcast', bin.tickcast), 'compare', '--help')).toContain('\n  --old ADDRESS ');
});

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../perf/lib/free-port.ts';
import { COMPARE_OPTIONS } from '../../src/compare/compare-options.ts';
import { FINDINGS } from '../../src/compare/findings.ts';
import { EXIT_MEANINGS, EXIT_STATUS } from '../../src/compare/outcome.ts';
import type { Report } from '../../src/compare/report.ts';
import { findOption } from '../../src/config/options.ts';
import { COMMAND_FLAGS } from '../../src/config/read-arguments.ts';
import { OldServer } from '../support/old-server.ts';
import { trade } from '../support/test-gateway.ts';
import { fencesOf, rowsOf, sectionOf } from './markdown.ts';
import { textOf } from './repository-files.ts';

const page = textOf('docs/migration.md');
const PROXY_PAGE = new URL('../../docs/proxy.md', import.meta.url);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PATIENCE = { timeout: 20_000 };
const PUBLISH_EVERY_MS = 20;
/** Instead of the minutes on the page; `config/legacy.yaml` lets a message wait for a second. */
const QUICKLY = '--seconds 1 --warm-up 1.5 --settle 2';

function commandsOf(info: string): string[] {
  return fencesOf(page)
    .filter((fence) => fence.info === info)
    .map(({ text }) => text.trim());
}

/** Resolves with the exit status of a command line and what it printed. */
function run(command: string, env: Record<string, string>): Promise<{ status: number | null; stdout: string }> {
  const child = spawn('sh', ['-c', command], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  onTestFinished(() => void child.kill());
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (status) => setImmediate(() => resolve({ status, stdout })));
  });
}

describe('docs/migration.md', () => {
  it('walks: its commands start Tickcast, feed it, compare it with the old server, and stop it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tickcast-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [port, feedPort] = [await freePort(), await freePort()];
    const old = await OldServer.start();
    const pidFile = join(folder, 'tickcast.pid');
    const here = (command: string) =>
      command
        .replaceAll('9100', String(feedPort))
        .replace('--source.kind', `--server.port ${port} --shards 1 --source.kind`)
        .replace('--log.file tickcast.log', `--log.file ${folder}/tickcast.log`)
        .replaceAll('tickcast.pid', pidFile)
        .replace(/--seconds \d+/, QUICKLY)
        .replace(/--report (\S+)/, `--report ${folder}/$1`);
    const env = { OLD: old.address, NEW: `ws://127.0.0.1:${port}/ws` };

    const [start] = commandsOf('sh start');
    // The shell ends and leaves Tickcast behind, as a terminal does.
    await run(`{ ${here(start!)}; } > /dev/null 2>&1`, env);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    onTestFinished(() => kill(pid));
    const status = () =>
      fetch(`http://127.0.0.1:${port}/api/websocket/status`).then(
        (answer) => answer.json(),
        () => null,
      );
    await expect.poll(status, PATIENCE).toMatchObject({ status: 'available' });

    writeFileSync(join(folder, 'feed.mjs'), here(commandsOf('js feed')[0]!));
    const { alsoToTickcast } = (await import(pathToFileURL(join(folder, 'feed.mjs')).href)) as {
      alsoToTickcast: (publication: object) => void;
    };
    let n = 0;
    const publishing = setInterval(() => {
      for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
        const publication = trade(symbol, n++);
        old.broadcast(publication);
        alsoToTickcast(publication);
      }
    }, PUBLISH_EVERY_MS);
    onTestFinished(() => clearInterval(publishing));

    const compares = commandsOf('sh compare');
    const results = await Promise.all(compares.map((command) => run(here(command), env)));
    expect(results.map(({ status: exit, stdout }) => (exit === 0 ? 0 : [exit, stdout]))).toEqual(compares.map(() => 0));
    expect(results[0]!.stdout).toMatch(/^The servers agree\./);
    const reports = ['parallel', 'gradual', 'complete'].map((name) =>
      readFileSync(join(folder, `${name}.json`), 'utf8'),
    );
    for (const report of reports) expect((JSON.parse(report) as Report).pairs).toBeGreaterThan(10);

    await run(here(commandsOf('sh stop')[0]!), env);
    await expect.poll(status, PATIENCE).toBeNull();
  });

  it('names only flags that there are', () => {
    const flags = [...page.matchAll(/(?<![\w-])--([a-z][\w.-]*)/g)].map((match) => match[1]!);
    const commands = COMMAND_FLAGS.map(([flag]) => flag.slice(2).split(' ')[0]!);
    const isKnown = (flag: string) =>
      Object.hasOwn(COMPARE_OPTIONS, flag) || findOption(flag) !== undefined || commands.includes(flag);
    expect(flags.filter((flag) => !isKnown(flag))).toEqual([]);
    expect(flags.length).toBeGreaterThan(20);
  });

  it('explains every finding', () => {
    const rows = rowsOf(sectionOf(page, 'What the report says')).map(([finding]) => finding);
    expect(rows.slice(0, FINDINGS.length)).toEqual(FINDINGS.map((finding) => `\`${finding}\``));
  });

  it('tells every exit status and outcome', () => {
    const rows = rowsOf(sectionOf(page, 'The comparison')).filter(([status]) => /^\d$/.test(status!));
    expect(rows.map(([status]) => status)).toEqual(Object.keys(EXIT_MEANINGS));
    const told = rows.flatMap(([status, outcomes]) =>
      [...outcomes!.matchAll(/`(\w+)`/g)].map((match) => [match[1], Number(status)]),
    );
    expect(Object.fromEntries(told)).toEqual(EXIT_STATUS);
  });

  it.skipIf(!existsSync(PROXY_PAGE))(
    'moves clients with the commands of the page about proxies, where that is there',
    () => {
      const known = existsSync(PROXY_PAGE) ? readFileSync(PROXY_PAGE, 'utf8').split('\n') : [];
      const lines = commandsOf('sh proxy').flatMap((text) => text.split('\n'));
      expect(lines.length).toBeGreaterThan(6);
      expect(lines.filter((line) => !known.includes(line))).toEqual([]);
    },
  );
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended, as it should.
  }
}

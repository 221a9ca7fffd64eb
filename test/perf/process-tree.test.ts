import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { leafProcess } from '../../perf/lib/process-tree.ts';

it('finds the program behind what was put around it', async () => {
  const program = "process.stdout.write(String(process.pid)); setTimeout(() => {}, 60_000, 'needle')";
  const wrapper = `
    const child = require('node:child_process').spawn(process.execPath, ['-e', process.argv[1], 'needle'], { stdio: 'inherit' });
    process.on('SIGTERM', () => child.kill());
    child.on('close', () => process.exit());`;
  const outer = spawn(process.execPath, ['-e', wrapper, program], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void outer.kill('SIGTERM'));
  const [text] = (await once(outer.stdout, 'data')) as [Buffer];
  expect(leafProcess(outer.pid as number, 'needle')).toBe(Number(text));
  expect(() => leafProcess(outer.pid as number, 'haystack')).toThrow('has started nothing that was given haystack');
});

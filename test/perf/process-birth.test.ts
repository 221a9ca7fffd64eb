import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { birthOf, processBirth } from '../../perf/lib/process-birth.ts';

it('reads what tells a process from a later one of its number', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const pid = child.pid as number;
  const birth = processBirth(pid);
  expect(Number(birth)).toBeGreaterThan(0);
  expect(processBirth(pid)).toBe(birth);
  child.kill();
  await once(child, 'close');
  expect(processBirth(pid)).toBeUndefined();
});

it('takes one that only waits for its parent for ended, whatever it is called', () => {
  const fields = (state: string) => `7 (a) b (c) ${state} ${Array.from({ length: 40 }, (_, n) => n + 1).join(' ')}`;
  expect(birthOf(fields('S'))).toBe('19');
  expect(birthOf(fields('Z'))).toBeUndefined();
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { processBirth } from '../../src/cluster/process-birth.ts';

describe.runIf(process.platform === 'linux')('the birth of a process', () => {
  it('is the same each time, and no other process’s with the same pid', () => {
    const own = processBirth(process.pid)!;
    expect(own).toBeGreaterThan(0);
    expect(processBirth(process.pid)).toBe(own);
    expect(processBirth(process.ppid)).not.toBe(undefined);
  });

  it('is read behind a name that looks like fields', () => {
    process.title = 'a) Z 1 (b';
    expect(processBirth(process.pid)).toBeGreaterThan(0);
  });

  it('is none once the process has ended', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    const pid = child.pid!;
    await once(child, 'exit');
    expect(processBirth(pid)).toBeUndefined();
    expect(processBirth(2 ** 22 + 1)).toBeUndefined();
  });
});

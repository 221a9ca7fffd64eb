import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TestProcess } from '../../support/child-process.ts';

const PROJECT = new URL('../../../', import.meta.url);
const LIGHT = ['--connections', '20', '--rate', '500', '--seconds', '1'];

/** Runs a script, and returns the directory that it says it has written to. */
async function profile(name: string, args: readonly string[]): Promise<{ directory: URL; stdout: string }> {
  const { status, stdout, stderr } = await new TestProcess(new URL(`perf/profile/${name}.ts`, PROJECT), args).ended;
  expect([status, stderr]).toEqual([0, '']);
  const path = /^perf\/profiles\/[^/]+\//m.exec(stdout)?.[0];
  expect(path).toBeDefined();
  const directory = new URL(path as string, PROJECT);
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return { directory, stdout };
}

describe('a profile', () => {
  it('is taken of the primary and of each shard, while the gateway runs', async () => {
    const { directory, stdout } = await profile('cpu', [...LIGHT, '--shards', '2']);
    const files = readdirSync(directory).sort();
    expect(files).toEqual(['primary.cpuprofile', 'shard-thread-1.cpuprofile', 'shard-thread-2.cpuprofile']);
    const shard = readFileSync(new URL('shard-thread-1.cpuprofile', directory), 'utf8');
    expect(shard).toContain('/src/shard/duty-cycle.ts');
    for (const file of files) expect(stdout).toContain(file);
  });

  it('is drawn by clinic, after the gateway has ended in order', async () => {
    const { directory, stdout } = await profile('heap', LIGHT);
    const page = readdirSync(directory).find((name) => name.endsWith('.html')) as string;
    expect(stdout).toContain(page);
    expect(statSync(new URL(page, directory)).size).toBeGreaterThan(100_000);
  });

  it.each([
    ['cpu', ['--shards', '0'], 2, '--shards is "0"; allowed: a whole number from 1 to 64'],
    ['attach', ['--pid', '4194304'], 1, 'FAILED There is no process 4194304'],
  ])('of %s %j is refused with the reason', async (name, args, expected, reason) => {
    const { status, stderr } = await new TestProcess(new URL(`perf/profile/${name}.ts`, PROJECT), args).ended;
    expect(status).toBe(expected);
    expect(stderr).toContain(reason);
  });

  it('is not asked of a program that the signal would end', async () => {
    const other = spawn('sleep', ['60']);
    onTestFinished(() => void other.kill());
    const args = ['--pid', String(other.pid)];
    const { status, stderr } = await new TestProcess(new URL('perf/profile/attach.ts', PROJECT), args).ended;
    expect(status).toBe(1);
    expect(stderr).toContain('not Node.js');
    expect(other.exitCode ?? other.signalCode).toBeNull();
  });
});

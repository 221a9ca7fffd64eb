import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stackOfMainThread, stackOfWorker } from '../../src/util/thread-stack.ts';
import { PATIENT } from '../support/shard-figures.ts';

const PATIENCE_MS = 10_000;

/** A thread that runs the code once it has said that it is up. */
async function threadOf(code: string): Promise<Worker> {
  const up = "require('node:worker_threads').parentPort.postMessage('up');";
  const thread = new Worker(`${up} ${code}`, { eval: true });
  onTestFinished(async () => void (await thread.terminate()));
  await once(thread, 'message');
  return thread;
}

describe('the stack of a thread', () => {
  it('has the functions that were compiled into others, and is bounded', async () => {
    const loop = 'function inner(n) { return n > 0 ? inner(n - 1) : spin(); } function spin() { for (;;); } inner(50);';
    const thread = await threadOf(loop);
    const read = () => stackOfWorker(thread.threadId, PATIENCE_MS);
    await expect.poll(async () => (await read())[0], PATIENT).toMatch(/^spin \(.*:\d+:\d+\)$/);
    const stack = await read();
    expect(stack[1]).toMatch(/^inner /);
    expect(stack).toHaveLength(12);
  });

  it('leaves the thread running, as often as it is read', async () => {
    const thread = await threadOf(
      'setInterval(() => { const until = Date.now() + 20; while (Date.now() < until); }, 1)',
    );
    for (let time = 0; time < 3; time++) {
      expect((await stackOfWorker(thread.threadId, PATIENCE_MS)).length).toBeGreaterThan(0);
    }
    const ended = once(thread, 'exit');
    expect(await thread.terminate()).toBe(1);
    await ended;
  });

  it('is empty where it cannot be told in time', async () => {
    const native = "require('node:crypto').pbkdf2Sync('a', 'b', 4e6, 64, 'sha512'); setInterval(() => {}, 1);";
    const thread = await threadOf(native);
    await expect.poll(() => stackOfWorker(thread.threadId, 50), PATIENT).toEqual([]);
    // When it comes back it is not found stopped.
    expect((await stackOfWorker(thread.threadId, PATIENCE_MS)).length).toBeGreaterThan(0);
  });

  it('is empty where there is no such thread, or it is the one that asks', async () => {
    expect(await stackOfWorker(4_711, 50)).toEqual([]);
    expect(await stackOfMainThread(PATIENCE_MS)).toEqual([]);
  });
});

import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';

/**
 * A flag of V8's is the whole process's: a thread that takes it back does so to another one that has just set it, and finds
 * no collector. Each thread is at this point once, so it loads the module anew for each round; all go into one together.
 */
const THREADS = 4;
const ROUNDS = 12;
const MODULE = new URL('../../src/util/collect-garbage.ts', import.meta.url).href;
const THREAD = `
  const { workerData } = require('node:worker_threads');
  const arrived = new Int32Array(workerData);
  const rounds = async () => {
    for (let round = 1; round <= ${ROUNDS}; round++) {
      const { collectGarbage } = await import(${JSON.stringify(MODULE)} + '?' + round);
      Atomics.add(arrived, 0, 1);
      while (Atomics.load(arrived, 0) < round * ${THREADS}) Atomics.wait(arrived, 1, 0, 1);
      if (!(collectGarbage() >= 0)) throw new Error('it took no time');
    }
  };
  rounds().catch((error) => {
    Atomics.add(arrived, 0, ${THREADS * ROUNDS});
    throw error;
  });
`;

it('garbage is collected by several threads at once', async () => {
  const arrived = new SharedArrayBuffer(8);
  const failures: unknown[] = [];
  const threads = Array.from({ length: THREADS }, () => {
    const thread = new Worker(THREAD, { eval: true, workerData: arrived });
    thread.on('error', (error) => failures.push(error));
    return new Promise((resolve) => thread.once('exit', resolve));
  });
  await Promise.all(threads);
  expect(failures).toEqual([]);
});

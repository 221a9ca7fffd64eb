import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { allocateRing } from '../../src/ring/layout.ts';
import { CONTROL, type ReaderPace, type ReaderReport, type StressTask } from '../support/ring-stress.ts';
import { seedOfRun } from '../support/seeded-random.ts';

const WRITER = new URL('../support/ring-stress-writer.fixture.ts', import.meta.url);
const READER = new URL('../support/ring-stress-reader.fixture.ts', import.meta.url);
const PACES: ReaderPace[] = ['fast', 'slow', 'stopped'];
const DURATION_MS = 2_500;
const RING_BYTES = 256 * 1024;
/** Fewer than this would say nothing: the writer publishes some hundred thousand. */
const RECEIVED_MIN = 2_000;

it('gives real threads every record whole and in order, while the writer laps those that are too slow', async () => {
  const seed = seedOfRun('ring');
  const control = new Int32Array(new SharedArrayBuffer(CONTROL.words * 4));
  const task: StressTask = { ring: allocateRing(RING_BYTES), control, seed };
  const threads: Thread[] = [];
  try {
    for (const [i, pace] of PACES.entries()) threads.push(new Thread(READER, { ...task, seed: seed + i + 1, pace }));
    const reports = threads.map((thread) => thread.result as Promise<ReaderReport>);
    await Promise.race([everyReaderHasBegun(control), Promise.all(reports)]);
    const writer = new Thread(WRITER, { ...task, durationMs: DURATION_MS });
    threads.push(writer);
    // A reader that dies is told of at once, not when the time is up.
    const [published, ...all] = await Promise.all([writer.result as Promise<number>, ...reports]);
    console.table(all.map((report) => ({ ...report, published, faults: report.faults.length })));

    for (const { faults, received, lost } of all) {
      expect(faults).toEqual([]);
      expect(received + lost).toBe(published);
    }
    const [fast, slow, stopped] = all as [ReaderReport, ReaderReport, ReaderReport];
    // Else the run has shown nothing.
    expect(stopped.lapped).toBeGreaterThan(0);
    expect(slow.lapped + stopped.lapped).toBeGreaterThan(3);
    expect(fast.received).toBeGreaterThan(RECEIVED_MIN);
    expect(fast.readAgain).toBeGreaterThan(100);
    expect(slow.received).toBeGreaterThan(100);
  } finally {
    await Promise.all(threads.map((thread) => thread.stop()));
  }
}, 60_000);

/** A thread that posts one message when it is done. */
class Thread {
  readonly result: Promise<unknown>;
  readonly #worker: Worker;

  constructor(entry: URL, task: object) {
    this.#worker = new Worker(entry, { workerData: task, execArgv: [], env: { ...process.env, NODE_OPTIONS: '' } });
    this.result = new Promise((resolve, reject) => {
      this.#worker.once('message', resolve);
      this.#worker.once('error', reject);
      this.#worker.once('exit', (code) => reject(new Error(`the thread ended with ${code} and without a result`)));
    });
    // It is awaited later, if at all.
    this.result.catch(() => {});
  }

  stop(): Promise<number> {
    return this.#worker.terminate();
  }
}

async function everyReaderHasBegun(control: Int32Array): Promise<void> {
  for (let begun = 0; begun < PACES.length; begun = Atomics.load(control, CONTROL.readers)) {
    const change = Atomics.waitAsync(control, CONTROL.readers, begun, 1_000);
    if (change.async) await change.value;
  }
}

import { expect, it } from 'vitest';
import { allocateRing } from '../../src/ring/layout.ts';
import { setPositions } from '../support/ring-records.ts';
import { CONTROL, type ReaderPace, type ReaderReport, type StressTask } from '../support/ring-stress.ts';
import { seedOfRun } from '../support/seeded-random.ts';
import { StressThread } from '../support/stress-thread.ts';

const WRITER = new URL('../support/ring-stress-writer.fixture.ts', import.meta.url);
const READER = new URL('../support/ring-stress-reader.fixture.ts', import.meta.url);
const PACES: ReaderPace[] = ['fast', 'slow', 'stopped'];
const DURATION_MS = 2_500;
const RING_BYTES = 256 * 1024;
/** Positions pass 2^32 in the first moments. */
const START = 2 ** 32 - 4 * 1024 * 1024;
/** Fewer than this would say nothing: the writer publishes some hundred thousand. */
const RECEIVED_MIN = 2_000;

it('gives real threads every record whole and in order, while the writer laps those that are too slow', async () => {
  const seed = seedOfRun('ring');
  const control = new Int32Array(new SharedArrayBuffer(CONTROL.words * 4));
  const ring = allocateRing(RING_BYTES);
  setPositions(ring, START);
  const task: StressTask = { ring, control, seed };
  const threads: StressThread[] = [];
  try {
    for (const [i, pace] of PACES.entries())
      threads.push(new StressThread(READER, { ...task, seed: seed + i + 1, pace }));
    const reports = threads.map((thread) => thread.result as Promise<ReaderReport>);
    const begun = StressThread.countReaches(control, CONTROL.readers, PACES.length);
    await Promise.race([begun, Promise.all(reports)]);
    const writer = new StressThread(WRITER, { ...task, durationMs: DURATION_MS });
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

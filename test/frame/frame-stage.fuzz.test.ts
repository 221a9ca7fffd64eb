import { expect, it } from 'vitest';
import { allocateRing } from '../../src/ring/layout.ts';
import { allocateSequenceIndex } from '../../src/ring/sequence-index.ts';
import { allocateTopicDirectory } from '../../src/ring/topic-directory.ts';
import {
  CONTROL,
  type FrameReaderReport,
  type FrameStressTask,
  type FrameWriterReport,
  TOPICS,
} from '../support/frame-stress.ts';
import { seedOfRun } from '../support/seeded-random.ts';
import { StressThread } from '../support/stress-thread.ts';

const WRITER = new URL('../support/frame-stress-writer.fixture.ts', import.meta.url);
const READER = new URL('../support/frame-stress-reader.fixture.ts', import.meta.url);
const READERS = 2;
const DURATION_MS = 2_500;
const RING_BYTES = 1024 * 1024;

it('lets real threads read latest values, books and the index while a primary moves and overwrites them', async () => {
  const seed = seedOfRun('frame stage');
  const ring = allocateRing(RING_BYTES);
  const control = new Int32Array(new SharedArrayBuffer(CONTROL.words * 4));
  const directory = allocateTopicDirectory(TOPICS);
  const task: FrameStressTask = { ring, directory, index: allocateSequenceIndex(RING_BYTES), control, seed };
  const threads: StressThread[] = [];
  try {
    for (let i = 0; i < READERS; i++) threads.push(new StressThread(READER, task));
    const reports = threads.map((thread) => thread.result as Promise<FrameReaderReport>);
    const begun = StressThread.countReaches(control, CONTROL.readers, READERS);
    await Promise.race([begun, Promise.all(reports)]);
    const writer = new StressThread(WRITER, { ...task, durationMs: DURATION_MS });
    threads.push(writer);
    // A reader that dies is told of at once, not when the time is up.
    const [written, ...all] = await Promise.all([writer.result as Promise<FrameWriterReport>, ...reports]);
    console.table(all.map((report) => ({ ...report, ...written, faults: report.faults.length })));
    for (const { faults } of all) expect(faults).toEqual([]);
    expect(written.forgotten).toBe(0);
    // Else the run has shown nothing.
    expect(written.carried).toBeGreaterThan(200);
    for (const { values, books, entries } of all) expect(Math.min(values, books * 20, entries)).toBeGreaterThan(500);
  } finally {
    await Promise.all(threads.map((thread) => thread.stop()));
  }
}, 60_000);

import { describe, expect, it } from 'vitest';
import { CARRIED, FRAME, NO_POSITION, recordBytes } from '../../src/ring/layout.ts';
import { withAtomicsHooks } from '../support/atomics-steps.ts';
import { FrameStage, type PlacedRecord } from '../support/frame-stage.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';

const KIB = 1024;

describe('LatestKeeper', () => {
  it('keeps the latest value of a quiet topic readable while the ring goes round, byte by byte as it was', () => {
    const stage = new FrameStage({ ringBytes: 64 * KIB });
    stage.publish({ symbol: 'quiet', type: 'trade', data: 'é' }, 11.5);
    stage.publish({ symbol: 'quiet', type: 'ticker', data: 7 }, 12.5);
    const first = stage.records();
    for (let i = 0; i < 2_000; i++) {
      stage.publish({ symbol: 'loud', data: 'x'.repeat(i % 900) });
      expectRecord(stage.latest(0), first[0]!);
      expectRecord(stage.latest(1), first[1]!);
    }
    expect(stage.latest(0)!.kind).toBe(CARRIED);
    expect(stage.publisher.latestValues.carried).toBeGreaterThan(20);
    expect(stage.publisher.latestValues.forgotten).toBe(0);
  });

  it('tells the newest value of each topic after every publication, whatever is published how often', () => {
    const seed = seedOfRun('latest values');
    const random = new SeededRandom(seed);
    const stage = new FrameStage({ ringBytes: 64 * KIB });
    const newest = new Map<number, PlacedRecord>();
    for (let i = 0; i < 2_000; i++) {
      stage.publish({ symbol: `S${Math.floor(random.below(1_000) ** 3 / 2e7)}`, data: 'x'.repeat(random.below(120)) });
      for (const record of stage.records()) if (record.kind === FRAME) newest.set(record.topic, record);
      for (const [topic, record] of newest) expectRecord(stage.latest(topic), record);
    }
    expect(newest.size).toBeGreaterThan(40);
    expect(stage.publisher.latestValues.carried).toBeGreaterThan(30);
    expect(stage.publisher.latestValues.forgotten).toBe(0);
  });

  it('keeps thousands of topics that were published in a row', () => {
    const stage = new FrameStage({ ringBytes: 2_048 * KIB, topicsMax: 3_000 });
    const texts: string[] = [];
    for (let topic = 0; topic < 2_000; topic++) {
      stage.publish({ symbol: `S${topic}`, data: topic });
      texts.push(...stage.texts());
    }
    for (const bytes of [50, 5_000, 100_000]) {
      for (let round = stage.receiver.tail + 3 * 2_048 * KIB; stage.receiver.tail < round; ) {
        stage.publish({ symbol: 'loud', data: 'x'.repeat(bytes) });
      }
      expect(texts.map((_, topic) => stage.latestText(topic))).toEqual(texts);
    }
    expect(stage.publisher.latestValues.forgotten).toBe(0);
  });

  it('has each of them readable at each step of the primary', () => {
    const ringBytes = 1_024 * KIB;
    const stage = new FrameStage({ ringBytes, topicsMax: 1_000 });
    const seed = seedOfRun('latest values at each step');
    const random = new SeededRandom(seed);
    // Together well below the quarter of the ring that latest values may take.
    const topics = 500;
    for (let topic = 0; topic < topics; topic++) {
      stage.publish({ symbol: `S${topic}`, data: 'x'.repeat(random.below(350)) });
    }
    let steps = 0;
    const look = () => {
      const { history, directory } = stage;
      for (let topic = 0; topic < topics; topic++) check(history.holds(directory.latest(topic)), topic);
      // One of them to the last byte.
      const topic = steps++ % topics;
      check(history.readAt(directory.latest(topic)) && history.topic === topic && history.seq === topic + 1, topic);
    };
    const end = stage.receiver.tail + 3 * ringBytes;
    withAtomicsHooks({ before: look, after: look }, () => {
      while (stage.publisher.bytes < end) stage.publish({ symbol: 'loud', data: '日'.repeat(random.below(4_000)) });
    });
    expect(steps).toBeGreaterThan(5_000);
    expect(stage.publisher.latestValues.carried).toBeGreaterThan(2 * topics);
  });

  it('leaves the chain of publications as it is, and delivers no copy', () => {
    const stage = new FrameStage({ ringBytes: 64 * KIB });
    stage.publish({ symbol: 'quiet' });
    for (let i = 0; i < 500; i++) stage.publish({ symbol: 'loud', data: 'x'.repeat(300) });
    stage.records();
    const copy = stage.latest(0)!;
    expect(copy).toMatchObject({ kind: CARRIED, seq: 1, ordinal: 1, prevSeq: 0, previous: NO_POSITION });
    stage.publish({ symbol: 'quiet' });
    const publication = stage.records().find(({ kind, topic }) => kind === FRAME && topic === 0);
    // The record itself, not its copy, though it has been overwritten: whoever walks the history walks publications.
    expect(publication).toMatchObject({ seq: 502, ordinal: 2, prevSeq: 1, previous: 0 });
    expect(stage.latest(0)).toMatchObject({ kind: FRAME, seq: 502 });
  });

  it('keeps a value no longer once there is a newer one', () => {
    const stage = new FrameStage({ ringBytes: 64 * KIB });
    for (let i = 0; i < 100; i++) stage.publish({ symbol: `S${i}`, data: 'x'.repeat(50) });
    for (let i = 0; i < 3_000; i++) stage.publish({ symbol: `S${i % 100}`, data: 'x'.repeat(50) });
    expect(stage.publisher.latestValues.carried).toBe(0);
  });
});

describe('LatestKeeper, short of room', () => {
  it('keeps a quarter of the ring, forgets the oldest, and counts them', () => {
    const ringBytes = 256 * KIB;
    const stage = new FrameStage({ ringBytes, topicsMax: 2_000 });
    const bytes: number[] = [];
    for (let topic = 0; topic < 600; topic++) {
      stage.publish({ symbol: `S${topic}`, data: 'x'.repeat(topic % 300) });
      bytes.push(recordBytes(stage.records()[0]!.frame.length));
    }
    for (let i = 0; i < 1_500; i++) stage.publish({ symbol: 'loud', data: 'x'.repeat(800) });
    const kept = bytes.map((_, topic) => stage.latestText(topic) !== undefined);
    const first = kept.indexOf(true);
    expect(kept.slice(first).every(Boolean)).toBe(true);
    expect(stage.publisher.latestValues.forgotten).toBe(first);
    expect(first).toBeGreaterThan(0);
    const keptBytes = bytes.slice(first).reduce((sum, each) => sum + each, recordBytes(1_000));
    expect(keptBytes).toBeLessThanOrEqual(ringBytes / 4 + 200);
    expect(keptBytes).toBeGreaterThan(ringBytes / 4 - 1_000);
    for (let topic = first; topic < 600; topic++) expect(stage.directory.givenUp(topic)).toBeUndefined();
    for (let topic = 0; topic < first; topic++) {
      expect([stage.directory.latest(topic), stage.directory.book(topic)]).toEqual([NO_POSITION, NO_POSITION]);
      const { slot, policy } = stage.registry.all()[topic]!;
      expect(stage.directory.givenUp(topic)).toEqual({ seq: topic + 1, ordinal: 1, slot, policy });
    }
  });

  it('knows a topic again that it has forgotten as soon as that publishes', () => {
    const stage = new FrameStage({ ringBytes: 64 * KIB });
    for (let topic = 0; topic < 60; topic++) stage.publish({ symbol: `S${topic}`, data: 'x'.repeat(500) });
    for (let i = 0; i < 500; i++) stage.publish({ symbol: 'loud', data: 'x'.repeat(500) });
    const { forgotten } = stage.publisher.latestValues;
    expect(forgotten).toBeGreaterThan(20);
    stage.records();
    expect(stage.latest(0)).toBeUndefined();
    stage.publish({ symbol: 'S0', data: 'back' });
    const [record] = stage.records();
    expect(record).toMatchObject({ kind: FRAME, topic: 0, ordinal: 2, prevSeq: 1 });
    expectRecord(stage.latest(0), record!);
    for (let i = 0; i < 500; i++) stage.publish({ symbol: 'loud', data: 'x'.repeat(500) });
    expectRecord(stage.latest(0), record!);
    // It takes the place of another.
    const unknown = stage.registry.all().filter(({ id }) => stage.latest(id) === undefined);
    expect(unknown).toHaveLength(forgotten);
    expect(stage.publisher.latestValues.forgotten).toBe(forgotten + 1);
  });

  it('goes on publishing where each value is as large as the ring takes', () => {
    const stage = new FrameStage({ ringBytes: 64 * KIB });
    for (let i = 0; i < 200; i++) {
      stage.publish({ symbol: `S${i % 11}`, data: 'x'.repeat(11_000 + i) });
      expect(stage.frames()).toHaveLength(1);
      expect(stage.latest(i % 11)!.seq).toBe(i + 1);
    }
    expect(stage.publisher.latestValues.forgotten).toBeGreaterThan(0);
    expect(stage.receiver.lapped).toBe(0);
  });
});

function check(readable: boolean, topic: number): void {
  if (!readable) throw new Error(`the latest value of topic ${topic} cannot be read`);
}

/** The same but for its kind and its place. */
function expectRecord(record: PlacedRecord | undefined, expected: PlacedRecord): void {
  expect(record).toEqual({ ...expected, kind: record?.kind, at: record?.at });
}

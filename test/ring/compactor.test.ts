import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAYLOAD_AT, payloadBytesMax, recordBytes } from '../../src/ring/layout.ts';
import { AssertionFailure } from '../../src/util/assert.ts';
import { CompactedRing } from '../support/compacted-ring.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';

const KIB = 1024;
const SMALL = 64 * KIB;
const LARGEST = payloadBytesMax(SMALL);
const KEEP = { keep: true };

describe('Compactor', () => {
  it('moves nothing while the ring has room', () => {
    const ring = new CompactedRing({ keptBytesMax: SMALL });
    for (let bytes = 0; bytes < SMALL / 2; bytes += recordBytes(1_000)) ring.publish(1_000, KEEP);
    expect(ring.moved).toBe(0);
  });

  it('keeps a value while the ring goes round many times, and moves it as seldom as it can', () => {
    const ring = new CompactedRing({ capacity: 1024 * KIB });
    const id = ring.publish(500, KEEP);
    ring.goRound(20, 300);
    ring.checkKept();
    expect(ring.kept.has(id)).toBe(true);
    // Once a round, but for the part by which it is ahead.
    expect(ring.moved).toBeGreaterThanOrEqual(20);
    expect(ring.moved).toBeLessThanOrEqual(25);
  });

  it('begins where the ring stands', () => {
    const ring = new CompactedRing({ start: 2 ** 40 + 5 * SMALL + 800 });
    for (let i = 0; i < 20; i++) ring.publish(100 + i, KEEP);
    ring.goRound(5, 700);
    ring.checkKept();
    expect(ring.kept.size).toBe(20);
  });

  it('moves no value that has a newer record', () => {
    const ring = new CompactedRing();
    for (let i = 0; i < 3_000; i++) ring.publish(200, { id: i % 50 });
    ring.checkKept();
    expect(ring.moved).toBe(0);
  });

  it('moves only the values without a newer record, of many with one', () => {
    const ring = new CompactedRing();
    for (let id = 0; id < 50; id++) ring.publish(200, { id });
    for (let i = 0; i < 5_000; i++) ring.publish(200, { id: 5 + (i % 45) });
    ring.checkKept();
    expect(ring.kept.size).toBe(50);
    expect(ring.moved % 5).toBe(0);
    expect(ring.moved).toBeGreaterThan(5 * 20);
    expect(ring.moved).toBeLessThan(5 * 35);
  });

  it('lets a value go that is not wanted any more', () => {
    const ring = new CompactedRing();
    const id = ring.publish(500, KEEP);
    ring.goRound(3, 300);
    const { moved } = ring;
    ring.release(id);
    ring.goRound(3, 300);
    expect(ring.moved).toBe(moved);
    ring.publish(500, { id });
    ring.goRound(3, 300);
    ring.checkKept();
    expect(ring.moved).toBeGreaterThan(moved);
  });

  it.each([0, 1, 55, 300, 2_000, LARGEST])('keeps a quarter of the ring in a row, records of %i bytes', (bytes) => {
    const ring = new CompactedRing();
    const count = Math.floor(SMALL / 4 / recordBytes(bytes));
    for (let i = 0; i < count; i++) ring.publish(bytes, KEEP);
    for (const others of [0, 300, 5_000, LARGEST]) {
      ring.goRound(3, others);
      ring.checkKept();
    }
    expect(ring.kept.size).toBe(count);
    expect(ring.letGo).toBe(0);
  });

  it('keeps half of the ring, and comes to an end', () => {
    const ring = new CompactedRing({ keptBytesMax: SMALL / 2 });
    const count = Math.floor(SMALL / 2 / recordBytes(400));
    for (let i = 0; i < count; i++) ring.publish(400, KEEP);
    for (const others of [0, 300, 5_000, LARGEST]) {
      ring.goRound(2, others);
      ring.checkKept();
    }
    expect(ring.kept.size).toBe(count);
  });

  it('takes it for a mistake to be told to keep all of the ring', () => {
    const ring = new CompactedRing({ keptBytesMax: SMALL });
    const fill = () => {
      for (let i = 0; i < 1_000; i++) ring.publish(400, KEEP);
    };
    expect(fill).toThrow(AssertionFailure);
  });

  it('keeps as much as its limit allows and lets the oldest go', () => {
    const ring = new CompactedRing();
    const many = Math.floor(SMALL / 2 / recordBytes(400));
    for (let i = 0; i < many; i++) ring.publish(400, KEEP);
    ring.goRound(3, 300);
    ring.checkKept();
    const left = Math.floor(SMALL / 4 / recordBytes(400));
    expect([...ring.kept.keys()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: left }, (_, i) => many - left + i + 1),
    );
    expect(ring.letGo).toBe(many - left);
  });

  it('keeps records around padding, and at the very end and beginning of the ring', () => {
    for (let gap = 0; gap <= 400; gap += 8) {
      const ring = new CompactedRing({ start: 3 * SMALL - 2 * recordBytes(100) - gap });
      for (let i = 0; i < 5; i++) ring.publish(100, KEEP);
      ring.goRound(3, 1_000 + gap);
      ring.checkKept();
      expect(ring.kept.size).toBe(5);
    }
  });

  it('makes room for more than is written in the end', () => {
    const ring = new CompactedRing();
    for (let i = 0; i < 30; i++) ring.publish(200, KEEP);
    for (let i = 0; i < 1_000; i++) ring.publish(i % 700, { claimBytes: LARGEST });
    ring.checkKept();
    expect(ring.kept.size).toBe(30);
  });

  it('never loses what is kept, whatever is written, in any ring', () => {
    const payload = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 600 }) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: LARGEST }) },
      { weight: 1, arbitrary: fc.constantFrom(0, LARGEST, SMALL / 8 - PAYLOAD_AT, SMALL / 8 - PAYLOAD_AT + 1) },
    );
    const write = fc.record({
      bytes: payload,
      more: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: payload }),
      times: fc.integer({ min: 1, max: 40 }),
      keep: fc.boolean(),
      ids: fc.oneof(fc.constant(undefined), fc.integer({ min: 1, max: 50 })),
      growsTo: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(LARGEST / 4) }),
      release: fc.nat(3),
    });
    const scene = fc.record({
      start: fc.integer({ min: 0, max: SMALL / 8 }).map((words) => 2 ** 32 - SMALL + words * 8),
      keptPart: fc.constantFrom(2, 3, 4, 16),
      writes: fc.array(write, { minLength: 1, maxLength: 60 }),
    });
    let moved = 0;
    const property = fc.property(scene, ({ start, keptPart, writes }) => {
      const ring = new CompactedRing({ start, keptBytesMax: SMALL / keptPart - recordBytes(LARGEST) / 2 });
      for (const { bytes, more, times, keep, ids, growsTo, release } of writes) {
        const claimBytes = Math.min(bytes + more, LARGEST);
        for (let i = 0; i < times; i++) {
          const id = ids === undefined ? undefined : 5_000 + (i % ids);
          ring.publish(bytes, { keep, claimBytes, growsTo, ...(id === undefined ? {} : { id }) });
        }
        for (const id of [...ring.kept.keys()].slice(0, release)) ring.release(id);
        ring.checkKept();
      }
      moved += ring.moved;
    });
    const seed = seedOfRun('compactor');
    fc.assert(property, { seed, numRuns: 300, interruptAfterTimeLimit: 8_000, markInterruptAsFailure: false });
    expect(moved).toBeGreaterThan(100);
  });
});

describe('Compactor, one call', () => {
  it('moves about eight bytes for each byte written, however many are kept in a row', () => {
    const capacity = 1024 * KIB;
    for (const [kept, others] of [
      [0, 0],
      [300, 300],
      [80, 6_000],
      [6_000, 80],
    ] as const) {
      const ring = new CompactedRing({ capacity });
      for (let i = 0; i < Math.floor(capacity / 4 / recordBytes(kept)); i++) ring.publish(kept, KEEP);
      let most = 0;
      for (let end = 4 * capacity; ring.transmitter.position < end; ) {
        const { movedBytes } = ring;
        ring.publish(others);
        most = Math.max(most, ring.movedBytes - movedBytes);
      }
      // Padding, once a round, counts as written.
      expect(most).toBeLessThanOrEqual(9 * recordBytes(others) + 9 * recordBytes(kept));
      expect(ring.moved).toBeGreaterThanOrEqual(3 * ring.kept.size);
    }
  });

  it('has what is kept stand further on before it is overwritten', () => {
    const capacity = 1024 * KIB;
    const seed = seedOfRun('compactor, missing');
    const random = new SeededRandom(seed);
    for (let round = 0; round < 20; round++) {
      const ring = new CompactedRing({ capacity });
      const keptMax = random.between(capacity / 2_000, capacity / 100);
      while (ring.keptBytes < capacity / 5) ring.publish(random.below(keptMax), { keep: random.below(5) > 0 });
      const othersMax = random.between(1, capacity / 100);
      for (let end = 4 * capacity; ring.transmitter.position < end; ) ring.publish(random.below(othersMax));
      expect(ring.moved).toBeGreaterThan(0);
      expect(ring.missing).toBe(0);
    }
  });

  it('has it stand further on also where something long was written just before', () => {
    const capacity = 1024 * KIB;
    const ring = new CompactedRing({ capacity });
    ring.publish(100, { keep: true, growsTo: capacity / 10 });
    for (let i = 0; i < 400; i++) ring.publish(300, KEEP);
    for (let end = 4 * capacity; ring.transmitter.position < end; ) ring.publish(300);
    expect(ring.moved).toBeGreaterThan(1_200);
    expect(ring.missing).toBe(0);
  });

  it('moves a value an eighth of the ring ahead', () => {
    const capacity = 1024 * KIB;
    const ring = new CompactedRing({ capacity });
    ring.publish(100, KEEP);
    // What is lost moves in strides of this, and by what is written.
    const strideBytes = 16 * KIB + recordBytes(200);
    for (let round = 1; round <= 5; round++) {
      while (ring.moved < round) ring.publish(200);
      expect(ring.lead).toBeLessThanOrEqual(capacity / 8 + strideBytes);
      expect(ring.lead).toBeGreaterThanOrEqual(capacity / 8 - strideBytes);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { allocateRing } from '../../src/ring/layout.ts';
import {
  allocateSequenceIndex,
  SequenceIndexReader,
  SequenceIndexWriter,
  VACANT,
} from '../../src/ring/sequence-index.ts';
import { FrameStage } from '../support/frame-stage.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const SMALL = 64 * 1024;

describe('sequence index', () => {
  it('knows nothing before the first publication', () => {
    const { reader } = indexOf(SMALL);
    expect(reader.newest()).toBe(0);
    for (let seq = 1; seq <= 2 * reader.entries; seq++) {
      expect([reader.topic(seq), reader.position(seq)]).toEqual([-1, -1]);
    }
  });

  it('tells topic and position of each publication, and which is the newest', () => {
    const { writer, reader } = indexOf(SMALL);
    for (let seq = 1; seq <= 100; seq++) {
      writer.set(seq, seq * 1_000 + 2 ** 50, seq * 3);
      expect(reader.newest()).toBe(seq);
    }
    for (let seq = 1; seq <= 100; seq++) {
      expect([reader.topic(seq), reader.position(seq)]).toEqual([seq * 3, seq * 1_000 + 2 ** 50]);
    }
    expect([reader.topic(101), reader.position(101)]).toEqual([-1, -1]);
  });

  it('tells a topic of 0 and a position of 0', () => {
    const { writer, reader } = indexOf(SMALL);
    writer.set(1, 0, 0);
    expect([reader.topic(1), reader.position(1)]).toEqual([0, 0]);
  });

  it.each([1, 2 ** 31 - 300, 2 ** 32 - 300, 2 ** 40])(
    'reaches back as far as it says and no further, from seq %i on',
    (first) => {
      const { writer, reader } = indexOf(SMALL);
      for (let seq = first; seq < first + 2_000; seq++) writer.set(seq, seq * 8, seq % 1_000);
      const newest = first + 1_999;
      expect(reader.newest()).toBe(newest);
      for (let seq = newest; seq > newest - reader.entries; seq--) {
        expect([reader.topic(seq), reader.position(seq)]).toEqual([seq % 1_000, seq * 8]);
      }
      for (let seq = Math.max(1, newest - 3 * reader.entries); seq <= newest - reader.entries; seq++) {
        expect([reader.topic(seq), reader.position(seq)]).toEqual([-1, -1]);
      }
      for (let seq = newest + 1; seq < newest + 3 * reader.entries; seq++) {
        expect([reader.topic(seq), reader.position(seq)]).toEqual([-1, -1]);
      }
    },
  );

  it('says of a number that was left out that nothing has it, and stands where the next one does', () => {
    const { writer, reader } = indexOf(SMALL);
    writer.set(100, 5_000, 1);
    writer.set(104, 6_000, 2);
    expect([101, 102, 103].map((seq) => reader.topic(seq))).toEqual([VACANT, VACANT, VACANT]);
    expect([100, 101, 103, 104].map((seq) => reader.position(seq))).toEqual([5_000, 6_000, 6_000, 6_000]);
    expect(reader.newest()).toBe(104);
    expect([reader.topic(99), reader.position(99)]).toEqual([-1, -1]);
  });

  it.each([2 ** 32, 2 ** 32 + 1, 2 ** 40])('tells nothing of what is before its first number, %i', (first) => {
    const { writer, reader } = indexOf(SMALL);
    writer.set(first, 8, 3);
    for (let seq = first - 2 * reader.entries; seq < first; seq++) expect(reader.topic(seq)).toBe(-1);
    expect([reader.newest(), reader.topic(first)]).toEqual([first, 3]);
  });

  it.each([5_000, 2 ** 32, 2 ** 40])(
    'tells nothing any more of what is before %i numbers that were left out',
    (ahead) => {
      const { writer, reader } = indexOf(SMALL);
      for (let seq = 1; seq <= 300; seq++) writer.set(seq, seq * 8, 1);
      for (let seq = ahead + 301; seq <= ahead + 310; seq++) writer.set(seq, seq * 8, 2);
      expect(reader.newest()).toBe(ahead + 310);
      for (let seq = 1; seq <= 300; seq++) expect([reader.topic(seq), reader.topic(ahead + seq)]).toEqual([-1, -1]);
      for (let seq = ahead + 301; seq <= ahead + 310; seq++) expect(reader.topic(seq)).toBe(2);
    },
  );

  it('does not take a number for one that is 2^32 further on', () => {
    const { writer, reader } = indexOf(SMALL);
    writer.set(2 ** 32 + 7, 4_000, 3);
    expect([reader.topic(7), reader.position(7)]).toEqual([-1, -1]);
    expect([reader.topic(2 ** 33 + 7), reader.position(2 ** 33 + 7)]).toEqual([-1, -1]);
  });

  it.each([64, 1_024, 65_536])('has an entry for each publication that a ring of %i KiB holds', (kib) => {
    const { capacity } = allocateRing(kib * 1024);
    const { reader } = indexOf(capacity);
    expect(reader.entries * smallestRecord()).toBeGreaterThanOrEqual(capacity);
  });

  it('finds each publication that the ring still holds, among latest values that were written once more', () => {
    const stage = new FrameStage({ ringBytes: SMALL });
    const random = new SeededRandom(23);
    for (let i = 0; i < 60; i++) stage.publish({ symbol: `quiet ${i}`, data: 'x'.repeat(random.below(80)) });
    for (let i = 0; i < 4_000; i++) stage.publish({ symbol: i % 7, data: 'x'.repeat(random.below(30)) });
    const { history, index } = stage;
    const newest = index.newest();
    expect(newest).toBe(4_060);
    let found = 0;
    for (let seq = newest; history.holds(index.position(seq)); seq--, found++) {
      expect(history.readAt(index.position(seq))).toBe(true);
      expect([history.seq, history.topic]).toEqual([seq, index.topic(seq)]);
    }
    // What was kept takes a part of the ring, and so does what was announced ahead.
    expect(found).toBeGreaterThan(SMALL / 2 / 200);
  });
});

/** Bytes of the record of a publication that says nothing. */
function smallestRecord(): number {
  const stage = new FrameStage();
  stage.publish({});
  stage.records();
  return stage.receiver.position;
}

function indexOf(ringBytes: number) {
  const memory = allocateSequenceIndex(ringBytes);
  return { writer: new SequenceIndexWriter(memory), reader: new SequenceIndexReader(memory) };
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOOK_SNAPSHOT, BOOK_UPDATE, EVERY, LATEST } from '../../src/delivery/delivery-policy.ts';
import { type Baseline, TopicTable } from '../../src/delivery/topic-table.ts';
import { BOOK, CARRIED, FRAME, NO_POSITION } from '../../src/ring/layout.ts';
import type { RecordCursor } from '../../src/ring/receiver.ts';

function record(fields: Partial<RecordCursor>): RecordCursor {
  const place = { bytes: Buffer.alloc(0), frameStart: 0, frameEnd: 0, previous: NO_POSITION, at: 0 };
  const numbers = { seq: 1, prevSeq: 0, ordinal: 1, dueUs: 0 };
  return { ...place, ...numbers, kind: FRAME, topic: 0, slot: 0, policy: EVERY, ...fields };
}

describe('TopicTable', () => {
  it('knows nothing of topics that it has not seen', () => {
    const table = new TopicTable();
    expect([table.size, table.lastSeq(5), table.ordinal(5), table.policy(5), table.slot(5)]).toEqual([0, 0, 0, 0, 0]);
    expect([table.latestAt(5), table.bookAt(5), table.baseline().ordinal(5)]).toEqual([NO_POSITION, NO_POSITION, 0]);
    table.observe(record({ topic: 70 }));
    expect([table.size, table.lastSeq(5), table.latestAt(5), table.bookAt(70)]).toEqual([
      71,
      0,
      NO_POSITION,
      NO_POSITION,
    ]);
  });

  it('is as far as the publication that was read last', () => {
    const table = new TopicTable();
    table.observe(record({ topic: 2, seq: 8, ordinal: 3, slot: 4, policy: LATEST, at: 640 }));
    expect(table.seq).toBe(8);
    expect([table.lastSeq(2), table.ordinal(2), table.slot(2), table.policy(2)]).toEqual([8, 3, 4, LATEST]);
    expect(table.latestAt(2)).toBe(640);
  });

  it('follows a latest value that is moved, which is no publication', () => {
    const table = new TopicTable();
    table.observe(record({ topic: 2, seq: 8, ordinal: 3, slot: 4, policy: LATEST, at: 640 }));
    table.observe(record({ topic: 1, seq: 9, at: 800 }));
    table.observe(record({ kind: CARRIED, topic: 2, seq: 8, ordinal: 3, slot: 4, policy: LATEST, at: 960 }));
    expect([table.seq, table.lastSeq(2), table.ordinal(2), table.latestAt(2)]).toEqual([9, 8, 3, 960]);
  });

  it('knows what a book is built up from: the first update, a whole book, a key frame', () => {
    const table = new TopicTable();
    table.observe(record({ seq: 1, policy: BOOK_UPDATE, at: 10 }));
    table.observe(record({ seq: 2, ordinal: 2, policy: BOOK_UPDATE, at: 20 }));
    expect(table.bookAt(0)).toBe(10);
    table.observe(record({ kind: BOOK, seq: 2, ordinal: 2, policy: BOOK_SNAPSHOT, at: 30 }));
    expect([table.bookAt(0), table.latestAt(0)]).toEqual([30, 30]);
    table.observe(record({ seq: 3, ordinal: 3, policy: BOOK_UPDATE, at: 40 }));
    table.observe(record({ seq: 4, ordinal: 4, policy: BOOK_SNAPSHOT, at: 50 }));
    expect([table.bookAt(0), table.latestAt(0)]).toEqual([50, 50]);
    table.observe(record({ seq: 5, ordinal: 5, policy: EVERY, at: 60 }));
    expect([table.bookAt(0), table.latestAt(0), table.policy(0)]).toEqual([50, 60, EVERY]);
  });

  it('takes the first update for the book also where something that is no book came before', () => {
    // The primary builds a book up from there, but a shard said that there was none.
    const table = new TopicTable();
    table.observe(record({ seq: 1, ordinal: 1, policy: EVERY, at: 10 }));
    table.observe(record({ seq: 2, ordinal: 2, policy: EVERY, at: 20 }));
    expect(table.bookAt(0)).toBe(NO_POSITION);
    table.observe(record({ seq: 3, ordinal: 3, policy: BOOK_UPDATE, at: 30 }));
    table.observe(record({ seq: 4, ordinal: 4, policy: EVERY, at: 40 }));
    table.observe(record({ seq: 5, ordinal: 5, policy: BOOK_UPDATE, at: 50 }));
    expect(table.bookAt(0)).toBe(30);
  });

  it('takes an update for no book where others came before it that were not read', () => {
    const table = new TopicTable();
    table.observe(record({ seq: 9, ordinal: 4, policy: BOOK_UPDATE, at: 10 }));
    expect(table.bookAt(0)).toBe(NO_POSITION);
  });

  it('takes over a state that was not read record by record', () => {
    const table = new TopicTable();
    const state = { seq: 90, ordinal: 12, policy: BOOK_UPDATE, slot: 3, latestAt: 700, bookAt: 600 };
    table.restore(65, state);
    expect([table.seq, table.lastSeq(65), table.ordinal(65), table.policy(65), table.slot(65)]).toEqual([
      0, 90, 12, 2, 3,
    ]);
    expect([table.latestAt(65), table.bookAt(65), table.baseline().ordinal(65)]).toEqual([700, 600, 12]);
  });
});

describe('Baseline', () => {
  it('is the same object as long as nothing has changed', () => {
    const table = new TopicTable();
    const first = table.baseline();
    expect(table.baseline()).toBe(first);
    table.observe(record({ topic: 3 }));
    const second = table.baseline();
    expect(second).not.toBe(first);
    expect(table.baseline()).toBe(second);
    expect([first.ordinal(3), second.ordinal(3)]).toEqual([0, 1]);
  });

  it('stays as it was, whatever is published afterwards', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ topic: fc.nat(1_200), skipped: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.constant('take' as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const table = new TopicTable();
        const ordinals = new Map<number, number>();
        const taken: { baseline: Baseline; ordinals: Map<number, number> }[] = [];
        for (const each of steps) {
          if (each === 'take') {
            taken.push({ baseline: table.baseline(), ordinals: new Map(ordinals) });
            continue;
          }
          const before = ordinals.get(each.topic) ?? 0;
          // Only of a topic that it knows already can a shard miss some.
          const ordinal = before + 1 + (before > 0 ? each.skipped : 0);
          ordinals.set(each.topic, ordinal);
          table.observe(record({ topic: each.topic, ordinal }));
        }
        for (const { baseline, ordinals: at } of taken) {
          for (let topic = 0; topic <= 1_200; topic++) expect(baseline.ordinal(topic)).toBe(at.get(topic) ?? 0);
        }
        for (const [topic, ordinal] of ordinals) expect(table.ordinal(topic)).toBe(ordinal);
      }),
    );
  });
});

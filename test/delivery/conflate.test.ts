import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataFrame } from '../../perf/truth/wire-message.ts';
import { conflate, linked } from '../../src/delivery/conflate.ts';
import { BOOK_SNAPSHOT, BOOK_UPDATE, LATEST } from '../../src/delivery/delivery-policy.ts';
import { type Depth, type Level, readDepth } from '../../src/delivery/depth.ts';
import { type FrameTail, withTail } from '../../src/delivery/frame-tail.ts';
import type { HeldFrame } from '../../src/delivery/held-frame.ts';
import type { LatestValues } from '../../src/delivery/latest-values.ts';
import type { Conflated } from '../../src/delivery/pending-set.ts';
import { textFrame } from '../../src/frame/frame-header.ts';
import { depth, NaiveBook } from '../support/depths.ts';
import { FrameSource } from '../support/frame-source.ts';
import { textsOf } from '../support/received-frames.ts';

const NO_VALUES = {
  fullBook: () => undefined,
  bookLevels: () => undefined,
  isNewest: () => true,
} as unknown as LatestValues;

/** Latest values whose books are all this one. */
function valuesOf(book: Depth): LatestValues {
  const fullBook = (topic: number, tail: FrameTail) => {
    const payload = { type: 'depth', symbol: `S${topic}`, data: { ...book, isSnapshot: true } };
    const frame = textFrame(JSON.stringify({ type: 'depth', payload, timestamp: 1, seq: 99, prevSeq: 0 }));
    return withTail(frame, 0, frame.length, tail);
  };
  return {
    fullBook,
    bookLevels: () => book.bids.length + book.asks.length,
    isNewest: () => true,
  } as unknown as LatestValues;
}

/** Publications of one topic that wait together, behind one that the client has. */
function waiting(updates: readonly object[], policyOf: (data: object) => number = bookPolicy): Conflated {
  const source = new FrameSource();
  source.publish(3);
  const own = source.last(3);
  source.publish(1);
  const frames = updates.map((data) => source.publish(3, { policy: policyOf(data), data }));
  const snapshotAt = frames.findLastIndex(({ policy }) => policy === BOOK_SNAPSHOT);
  return {
    own: { ...own },
    firstSeq: frames[0]!.seq,
    last: frames.at(-1)!,
    updates: frames.slice(Math.max(0, snapshotAt)),
    bytes: 0,
  };
}

function bookPolicy(data: object): number {
  return (data as Depth).isSnapshot ? BOOK_SNAPSHOT : BOOK_UPDATE;
}

function frameOf(bytes: Buffer): DataFrame {
  return JSON.parse(textsOf(bytes)[0]!) as DataFrame;
}

function manyLevels(count: number): Level[] {
  return Array.from({ length: count }, (_, i) => [i + 1, 1]);
}

describe('conflate', () => {
  it('sends the newest of a topic whose newest stands for all', () => {
    const { bytes, merged } = conflate(
      waiting([{ n: 1 }, { n: 2 }, { n: 3 }], () => LATEST),
      NO_VALUES,
      7,
    )!;
    expect(merged).toBe(2);
    expect(frameOf(bytes)).toMatchObject({ payload: { data: { n: 3 } }, seq: 5, prevSeq: 1, merged: 2, resumeSeq: 7 });
  });

  it('sends a single publication as it was, the very bytes', () => {
    const alone = waiting([{ bids: [[1, 1]], asks: [] }]);
    const { bytes, merged } = conflate(alone, NO_VALUES, undefined)!;
    expect(merged).toBe(0);
    expect(bytes).toBe(alone.last.bytes);
  });

  it('merges updates of a book, with all that the newest says beside its levels', () => {
    const updates = [
      { bids: [[1, 1]], asks: [[5, 1]], updateTime: 1, first: true },
      { bids: [[2, 1]], asks: [[5, 0]], updateTime: 2 },
    ];
    const { bytes, merged } = conflate(waiting(updates), NO_VALUES, undefined)!;
    expect(merged).toBe(1);
    expect(frameOf(bytes)).toEqual({
      type: 'depth',
      payload: {
        type: 'depth',
        symbol: 'S3',
        data: {
          bids: [
            [2, 1],
            [1, 1],
          ],
          asks: [[5, 0]],
          updateTime: 2,
        },
      },
      timestamp: 1,
      seq: 4,
      prevSeq: 1,
      merged: 1,
    });
  });

  it('leaves the same book as all its updates, one by one', () => {
    fc.assert(
      fc.property(depth, fc.array(depth, { minLength: 1, maxLength: 8 }), (before, updates) => {
        const { bytes, merged } = conflate(waiting(updates), NO_VALUES, undefined)!;
        const frame = frameOf(bytes);
        expect(frame).toMatchObject({ prevSeq: 1, seq: 2 + updates.length });
        expect(frame.merged ?? 0).toBe(merged);
        expect(merged).toBe(updates.length - 1);
        const [each, once] = [new NaiveBook(), new NaiveBook()];
        for (const book of [each, once]) book.apply(before);
        // As a client reads them.
        for (const update of updates) each.apply(readDepth(JSON.parse(JSON.stringify(update)))!);
        once.apply(readDepth(frame.payload.data)!);
        expect([once.bids(), once.asks()]).toEqual([each.bids(), each.asks()]);
      }),
    );
  });

  it('sends the full book where that is all that will do', () => {
    const broken: Conflated = {
      ...waiting([
        { bids: [], asks: [] },
        { bids: [], asks: [] },
      ]),
      updates: undefined,
    };
    const book = { bids: manyLevels(3), asks: [], isSnapshot: true };
    const { bytes, merged } = conflate(broken, valuesOf(book), 4)!;
    expect(merged).toBe(1);
    expect(frameOf(bytes)).toMatchObject({ payload: { data: book }, prevSeq: 1, merged: 1, resumeSeq: 4 });
    expect(conflate(broken, NO_VALUES, 4)).toBeUndefined();
  });

  it('sends the full book where it is smaller than what was merged, and else not', () => {
    const half = { bids: manyLevels(20), asks: [] };
    const updates = [half, { bids: [], asks: manyLevels(20) }];
    const small = { bids: manyLevels(39), asks: [], isSnapshot: true };
    const large = { bids: manyLevels(40), asks: [], isSnapshot: true };
    expect(frameOf(conflate(waiting(updates), valuesOf(small), undefined)!.bytes).payload.data).toEqual(small);
    const kept = frameOf(conflate(waiting(updates), valuesOf(large), undefined)!.bytes);
    expect(kept.payload.data).toEqual({ bids: manyLevels(20).toReversed(), asks: manyLevels(20) });
    expect(kept).toMatchObject({ merged: 1 });
    // A few levels are not worth looking for the book.
    const few = conflate(
      waiting([
        { bids: manyLevels(2), asks: [] },
        { bids: [], asks: [] },
      ]),
      valuesOf(small),
      undefined,
    )!;
    expect(frameOf(few.bytes).payload.data).not.toHaveProperty('isSnapshot');
  });
});

describe('linked', () => {
  const [frame] = [new FrameSource().publish(3)] as [HeldFrame];

  it('takes the frame as it is where its end says what it has to', () => {
    expect(linked(frame, { prevSeq: 0 })).toBe(frame.bytes);
    expect(linked(frame, { prevSeq: 0, merged: 0 })).toBe(frame.bytes);
  });

  it.each<[FrameTail]>([[{ prevSeq: 5 }], [{ prevSeq: 0, merged: 1 }], [{ prevSeq: 0, resumeSeq: 0 }]])(
    'gives it another end for %o',
    (tail) => {
      const bytes = linked(frame, tail);
      expect(bytes).not.toBe(frame.bytes);
      expect(frameOf(bytes)).toMatchObject(tail);
    },
  );
});

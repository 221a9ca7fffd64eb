import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BookMerge } from '../../src/delivery/book-merge.ts';
import { type Depth, isDeletion, type Level, priceOf, readDepth } from '../../src/delivery/depth.ts';
import { OrderBook } from '../../src/delivery/order-book.ts';
import { depth } from '../support/depths.ts';

function merged(range: readonly Depth[]): Depth {
  const merge = new BookMerge();
  for (const each of range) merge.add(each);
  return merge.result();
}

function bookAfter(published: readonly Depth[]): [Level[], Level[]] {
  const book = new OrderBook();
  for (const each of published) book.apply(each);
  return [book.bids(), book.asks()];
}

const depths = fc.array(depth, { maxLength: 12 });

describe('BookMerge', () => {
  it('takes the last size of each price, and keeps deletions', () => {
    const range: Depth[] = [
      {
        bids: [['1.10', 5]],
        asks: [
          [2, 1],
          [3, 1],
        ],
        isSnapshot: false,
      },
      {
        bids: [
          [1.1, '6'],
          [1, 2],
        ],
        asks: [['2.0', '0.0']],
        isSnapshot: false,
      },
    ];
    expect(merged(range)).toEqual({
      bids: [
        [1.1, '6'],
        [1, 2],
      ],
      asks: [
        ['2.0', '0.0'],
        [3, 1],
      ],
      isSnapshot: false,
    });
  });

  it('makes a snapshot where one is among them: what came before is gone, deletions after it just remove', () => {
    const range: Depth[] = [
      {
        bids: [
          [1, 1],
          [2, 0],
        ],
        asks: [[9, 0]],
        isSnapshot: false,
      },
      {
        bids: [
          [3, 1],
          [4, 1],
        ],
        asks: [],
        isSnapshot: true,
      },
      {
        bids: [
          [3, 0],
          [7, 0],
        ],
        asks: [],
        isSnapshot: false,
      },
    ];
    expect(merged(range)).toEqual({ bids: [[4, 1]], asks: [], isSnapshot: true });
  });

  it('of nothing is an update that changes nothing', () => {
    expect(merged([])).toEqual({ bids: [], asks: [], isSnapshot: false });
  });

  it('counts the levels of its result, and goes on after it was asked for one', () => {
    const merge = new BookMerge();
    merge.add({ bids: [[1, 0]], asks: [[2, 1]], isSnapshot: false });
    merge.result().bids.pop();
    merge.add({ bids: [['1.0', 3]], asks: [], isSnapshot: false });
    expect(merge.levels).toBe(2);
    expect(merge.result().bids).toEqual([['1.0', 3]]);
  });

  it('leaves the book that the range would have left, on any that stood before', () => {
    fc.assert(
      fc.property(depths, depths, depths, (before, range, after) => {
        const whole = bookAfter([...before, ...range, ...after]);
        expect(bookAfter([...before, merged(range), ...after])).toEqual(whole);
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves that book too when merged pieces are merged again, or have travelled as JSON', () => {
    fc.assert(
      fc.property(depths, depths, depths, (before, first, second) => {
        const parts = [merged(first), merged(second)];
        const travelled = parts.map((part) => readDepth(JSON.parse(JSON.stringify(part))) as Depth);
        const whole = bookAfter([...before, ...first, ...second]);
        expect(bookAfter([...before, merged(parts)])).toEqual(whole);
        expect(JSON.stringify(bookAfter([...before, merged(travelled)]))).toBe(JSON.stringify(whole));
      }),
    );
  });

  it('names each price once, best first, in levels as they were published last', () => {
    fc.assert(
      fc.property(depths, (range) => {
        const { bids, asks, isSnapshot } = merged(range);
        const prices = [bids.map((level) => -priceOf(level)), asks.map(priceOf)];
        for (const side of prices) {
          expect(side.every((price, at) => at === 0 || price > (side[at - 1] as number))).toBe(true);
        }
        const published = new Set(range.flatMap((each) => [...each.bids, ...each.asks]));
        expect([...bids, ...asks].every((level) => published.has(level))).toBe(true);
        expect(isSnapshot).toBe(range.some((each) => each.isSnapshot));
        if (isSnapshot) expect([...bids, ...asks].filter(isDeletion)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

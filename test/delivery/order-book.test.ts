import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Level } from '../../src/delivery/depth.ts';
import { OrderBook } from '../../src/delivery/order-book.ts';
import { depth, NaiveBook } from '../support/depths.ts';

function update(bids: Level[], asks: Level[] = [], isSnapshot = false) {
  return { bids, asks, isSnapshot };
}

describe('OrderBook', () => {
  it('is empty at first', () => {
    const book = new OrderBook();
    expect([book.levels, book.bids(), book.asks()]).toEqual([0, [], []]);
  });

  it('gives both sides best first', () => {
    const book = new OrderBook();
    const levels: Level[] = [
      [9, 1],
      ['10', 1],
      [8.5, 1],
    ];
    book.apply(update(levels, levels));
    expect(book.bids().map(([price]) => price)).toEqual(['10', 9, 8.5]);
    expect(book.asks().map(([price]) => price)).toEqual([8.5, 9, '10']);
    expect(book.levels).toBe(6);
  });

  it('keeps a level as it was last published', () => {
    const book = new OrderBook();
    book.apply(update([['1.10', '5', 'id', 7]]));
    expect(book.bids()).toEqual([['1.10', '5', 'id', 7]]);
    book.apply(update([[1.1, 6]]));
    expect(book.bids()).toEqual([[1.1, 6]]);
  });

  it('removes a level whose size is 0, on its side only', () => {
    const book = new OrderBook();
    book.apply(update([['1.1', 1]], [['1.1', 1]]));
    book.apply(update([[1.1, '0.00']]));
    book.apply(update([[7, 0]]));
    expect([book.bids(), book.asks(), book.levels]).toEqual([[], [['1.1', 1]], 1]);
  });

  it('takes the last of a price that one publication names twice', () => {
    const book = new OrderBook();
    book.apply(
      update([
        [1, 5],
        ['1.0', 0],
        [2, 0],
        [2, 6],
      ]),
    );
    expect(book.bids()).toEqual([[2, 6]]);
  });

  it('replaces everything by a snapshot', () => {
    const book = new OrderBook();
    book.apply(update([[1, 1]], [[2, 1]]));
    book.apply(
      update(
        [
          [1.5, 3],
          [1.4, 0],
        ],
        [],
        true,
      ),
    );
    expect([book.bids(), book.asks(), book.levels]).toEqual([[[1.5, 3]], [], 1]);
  });

  it('lets its arrays be changed by whoever asked for them', () => {
    const book = new OrderBook();
    book.apply(update([[1, 1]]));
    book.bids().pop();
    expect(book.bids()).toEqual([[1, 1]]);
  });

  it('is what a list without any skill would be, whatever is published', () => {
    fc.assert(
      fc.property(fc.array(depth, { maxLength: 20 }), (published) => {
        const [book, naive] = [new OrderBook(), new NaiveBook()];
        for (const each of published) {
          book.apply(each);
          naive.apply(each);
        }
        expect([book.bids(), book.asks()]).toEqual([naive.bids(), naive.asks()]);
        expect(book.levels).toBe(naive.bids().length + naive.asks().length);
      }),
      { numRuns: 1_000 },
    );
  });

  it('stands again where it is published as a snapshot, whatever stood there', () => {
    fc.assert(
      fc.property(fc.array(depth), fc.array(depth), (published, elsewhere) => {
        const [book, copy] = [new OrderBook(), new OrderBook()];
        for (const each of published) book.apply(each);
        for (const each of elsewhere) copy.apply(each);
        copy.apply(update(book.bids(), book.asks(), true));
        expect([copy.bids(), copy.asks(), copy.levels]).toEqual([book.bids(), book.asks(), book.levels]);
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { isBookData, type Level, NaiveBook } from '../../../perf/truth/naive-book.ts';

const digest = ({ low, high }: NaiveBook) => [low, high];

function bookOf(...updates: { bids?: Level[]; asks?: Level[]; isSnapshot?: boolean }[]): NaiveBook {
  const book = new NaiveBook();
  for (const update of updates) book.apply({ bids: [], asks: [], ...update });
  return book;
}

describe('a naive book', () => {
  it('keeps the last size of a price, drops what has none, and begins anew with a snapshot', () => {
    const book = bookOf(
      {
        bids: [
          [1, 5],
          [2, 6],
          [1, 7],
        ],
      },
      { asks: [[3, 1]], bids: [[2, 0]] },
    );
    expect(book.levels()).toEqual({ bids: [[1, 7]], asks: [[3, 1]] });
    book.apply({ bids: [[9, 1]], asks: [], isSnapshot: true });
    expect(book.levels()).toEqual({ bids: [[9, 1]], asks: [] });
  });

  it('has the digest of its levels, whatever the way to them', () => {
    const one = bookOf({
      bids: [
        [1, 5],
        [2, 6],
      ],
      asks: [[3, 0.5]],
    });
    const other = bookOf(
      { bids: [[4, 4]] },
      {
        asks: [[3, 0.5]],
        bids: [
          [2, 6],
          [1, 4],
        ],
      },
      {
        bids: [
          [1, 5],
          [4, 0],
        ],
      },
    );
    expect(digest(one)).toEqual(digest(other));
    expect(digest(bookOf({ bids: [[1, 5]] }, { isSnapshot: true }))).toEqual(digest(new NaiveBook()));
  });

  it('has another digest with another price, size or side', () => {
    const books = [
      bookOf({ bids: [[1, 5]] }),
      bookOf({ asks: [[1, 5]] }),
      bookOf({ bids: [[5, 1]] }),
      bookOf({ bids: [[1, 5.000000000000001]] }),
      bookOf({
        bids: [
          [1, 5],
          [2, 5],
        ],
      }),
      bookOf({}),
    ];
    expect(new Set(books.map(({ low }) => low)).size).toBe(books.length);
    expect(new Set(books.map(({ high }) => high)).size).toBe(books.length);
  });

  it.each([
    [null],
    [{}],
    [{ bids: [], asks: 'closed' }],
    [{ bids: [[1]], asks: [['1', '2']] }],
    [{ bids: [1], asks: [] }],
  ])('is not made from %j', (data) => {
    expect(isBookData(data)).toBe(false);
  });
});

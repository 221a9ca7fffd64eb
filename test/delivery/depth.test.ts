import { describe, expect, it } from 'vitest';
import { isDeletion, type Level, priceOf, readDepth } from '../../src/delivery/depth.ts';

describe('readDepth', () => {
  it('takes bids, asks and isSnapshot, and leaves the rest', () => {
    const data = { ts: 5, bids: [[1, 2]], asks: [['1.5', '3', 'id']], updateTime: 7, isSnapshot: true };
    expect(readDepth(data)).toEqual({ bids: [[1, 2]], asks: [['1.5', '3', 'id']], isSnapshot: true });
  });

  it('hands on the levels that were published, not copies', () => {
    const data = { bids: [[1, 2]], asks: [] };
    expect(readDepth(data)?.bids).toBe(data.bids);
  });

  it.each([undefined, null, false, 1, 'true'])('makes no snapshot of an isSnapshot of %j', (isSnapshot) => {
    expect(readDepth({ bids: [], asks: [], isSnapshot })?.isSnapshot).toBe(false);
  });

  it.each([{ bids: [[1, 2]] }, { bids: [[1, 2]], asks: null }, { bids: [[1, 2]], asks: undefined }])(
    'takes a side that is missing as empty: %j',
    (data) => {
      expect(readDepth(data)).toEqual({ bids: [[1, 2]], asks: [], isSnapshot: false });
      expect(readDepth({ bids: data.asks, asks: data.bids })).toEqual({ bids: [], asks: [[1, 2]], isSnapshot: false });
    },
  );

  it.each([
    [undefined],
    [null],
    ['bids'],
    [7],
    [[]],
    [{}],
    [{ bids: null, asks: undefined }],
    [{ isSnapshot: true }],
    [{ bids: {}, asks: [] }],
    [{ bids: [], asks: 'none' }],
    [{ bids: [{ price: 1, size: 2 }] }],
    [{ bids: [[1, 2], null] }],
    [{ bids: [[1]] }],
    [{ bids: [[]] }],
    [{ bids: ['12'] }],
    [{ bids: [[1, null]] }],
    [{ bids: [[1, Number.NaN]] }],
    [{ bids: [[Number.POSITIVE_INFINITY, 1]] }],
    [{ bids: [['1e999', 1]] }],
    [{ bids: [['', 1]] }],
    [{ bids: [[1, ' ']] }],
    [{ bids: [['0x10', 1]] }],
    [{ bids: [['1.2.3', 1]] }],
    [{ bids: [[1, 2n]] }],
    [{ bids: [[[1], 2]] }],
    [{ bids: new Array(2) }],
  ])('knows no depth in other data: case %#', (data) => {
    expect(readDepth(data)).toBeUndefined();
  });
});

describe('a level', () => {
  it('has one price however that is spelt', () => {
    const spelt: Level[] = [
      [1.1, 1],
      ['1.1', 1],
      ['1.10', 1],
      ['+01.1', 1],
      ['11e-1', 1],
    ];
    expect(new Set(spelt.map(priceOf))).toEqual(new Set([1.1]));
  });

  it('has no price of -0', () => {
    expect([priceOf([-0, 1]), priceOf(['-0.0', 1])]).toEqual([0, 0]);
  });

  it.each([0, -0, '0', '-0', '0.00', '.0', '0.', '0e5', '0.00000000000000000000'])(
    'is gone with a size of %j',
    (size) => {
      expect(isDeletion([1, size])).toBe(true);
    },
  );

  it.each([1, 1e-300, -1, '1', '0.01', '.5', '0.000000000000000000001', '1e-9'])(
    'is there with a size of %j',
    (size) => {
      expect(isDeletion([1, size])).toBe(false);
    },
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hoistedFields } from '../../src/dataflow/hoist.ts';
import type { Publication } from '../../src/dataflow/publication.ts';

/** What hoisting adds, read back from JSON. */
function hoisted(publication: Publication): unknown {
  const text = hoistedFields(publication);
  return JSON.parse(text === '' ? '{}' : `{${text.slice(1)}}`);
}

describe('a trade', () => {
  it('T32: gets price, volume and side as strings', () => {
    expect(hoistedFields({ type: 'trade', data: { price: 1.5, quantity: 2, side: 'buy' } })).toBe(
      ',"price":"1.5","volume":"2","side":"buy"',
    );
  });

  it.each([
    [
      { p: '1.50', q: '2' },
      { price: '1.50', volume: '2' },
    ],
    [
      { price: 1, p: 9, quantity: 2, volume: 9, q: 9 },
      { price: '1', volume: '2' },
    ],
    [{ volume: 3, q: 9 }, { volume: '3' }],
    [{ m: true }, { side: 'sell' }],
    [{ m: false }, { side: 'buy' }],
    [{ side: 'SELL', m: false }, { side: 'SELL' }],
    [
      { price: 0, quantity: 0 },
      { price: '0', volume: '0' },
    ],
    [{ price: null, p: 4 }, { price: '4' }],
    [{ price: Number.NaN, quantity: Number.POSITIVE_INFINITY, side: 1 }, {}],
    [{ price: {}, quantity: [], side: null, m: 'yes' }, {}],
    [{ quantity: 1e-7 }, { volume: '1e-7' }],
    [{}, {}],
  ])('T32: from data %j gets %j', (data, expected) => {
    expect(hoisted({ type: 'trade', data })).toEqual(expected);
  });
});

describe('a ticker', () => {
  it.each([
    [
      { lastPrice: 1, price: 8, c: 9, volume24h: 2, volume: 8, v: 9, change24h: -3 },
      { price: '1', volume: '2', change24h: '-3' },
    ],
    [
      { price: 1, c: 9, volume: 2, v: 9, priceChangePercent: 3, P: 9 },
      { price: '1', volume: '2', change24h: '3' },
    ],
    [
      { c: '1', v: '2', P: '3' },
      { price: '1', volume: '2', change24h: '3' },
    ],
    [{ change24h: 0 }, { change24h: '0' }],
  ])('T32: from data %j gets %j', (data, expected) => {
    expect(hoisted({ type: 'ticker', data })).toEqual(expected);
  });
});

describe('what is left out', () => {
  it('leaves out a key that the publication has, also as null', () => {
    const data = { price: 1, quantity: 2, side: 'buy' };
    expect(hoisted({ type: 'trade', price: '9', side: null, data })).toEqual({ volume: '2' });
  });

  it('takes a key whose value is undefined, or inherited, as missing', () => {
    const publication: Publication = Object.create({ volume: '7' });
    Object.assign(publication, { type: 'trade', price: undefined, data: { price: 1, quantity: 2 } });
    expect(hoisted(publication)).toEqual({ price: '1', volume: '2' });
  });

  it.each([['kline'], ['depth'], ['other'], [undefined]])('adds nothing to type %s', (type) => {
    expect(hoistedFields({ ...(type === undefined ? {} : { type }), data: { price: 1 } })).toBe('');
  });

  it.each([[null], [undefined], ['text'], [5], [[{ price: 1 }]]])('adds nothing when data is %j', (data) => {
    expect(hoistedFields({ type: 'trade', data })).toBe('');
  });
});

describe('escaping', () => {
  it('gives valid JSON that reads back as the same string, whatever the string', () => {
    const strange = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.constantFrom('"', '\\', '\n', '\u2028', '\ud800'),
    );
    fc.assert(
      fc.property(strange, strange, fc.string({ minLength: 30, maxLength: 40 }), (price, quantity, side) => {
        const text = hoistedFields({ type: 'trade', data: { price, quantity, side } });
        expect(JSON.parse(`{${text.slice(1)}}`)).toEqual({ price, volume: quantity, side });
      }),
    );
  });

  it('gives a number back as the same number', () => {
    fc.assert(
      fc.property(fc.double({ noDefaultInfinity: true, noNaN: true }), (price) => {
        const read = hoisted({ type: 'trade', data: { price } }) as { price: string };
        expect(Number(read.price) === price).toBe(true);
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { NormalisingTransformer, normalise } from '../../src/dataflow/normaliser.ts';
import type { Publication, PublicationContext } from '../../src/dataflow/publication.ts';

const NOW_MS = 1_700_000_123_456;

function context(): PublicationContext {
  return { source: 'test', dueUs: 1, receivedAtAdded: false };
}

function normalised(input: unknown): Publication {
  const result = normalise(input, context(), NOW_MS);
  if (typeof result === 'string') throw new Error(`refused: ${result}`);
  return result;
}

describe('spelling', () => {
  it('writes the exchange in lower case and the symbol in upper case, keeping separators', () => {
    expect(normalised({ exchange: 'Binance', symbol: 'btc/usdt-perp_x' })).toMatchObject({
      exchange: 'binance',
      symbol: 'BTC/USDT-PERP_X',
    });
  });

  it.each([
    ['trades', 'trade'],
    ['TRADE', 'trade'],
    ['orderbook', 'depth'],
    ['OrderBook', 'depth'],
    ['24hrTicker', 'ticker'],
    ['24HRTICKER', 'ticker'],
    ['Ticker', 'ticker'],
    ['depth', 'depth'],
    ['Kline', 'kline'],
  ])('T34: writes the type %s as %s', (given, expected) => {
    expect(normalised({ type: given }).type).toBe(expected);
  });

  it('T31: leaves unknown types as they are', () => {
    expect(normalised({ type: 'markPrice' }).type).toBe('markPrice');
    expect(normalised({ type: '' }).type).toBe('');
    expect(normalised({ type: 'constructor' }).type).toBe('constructor');
  });

  it('leaves an exchange or symbol that is not a string as it is', () => {
    expect(normalised({ exchange: 7, symbol: null })).toMatchObject({ exchange: 7, symbol: null });
  });
});

describe('klines', () => {
  it('T35: moves the interval out of the type into data', () => {
    expect(normalised({ type: 'kline_1m', data: { open: 1 } })).toMatchObject({
      type: 'kline',
      data: { open: 1, interval: '1m' },
    });
  });

  it('keeps the case of the interval, since 1m is a minute and 1M a month', () => {
    expect(normalised({ type: 'KLINE_1M', data: {} }).data).toEqual({ interval: '1M' });
  });

  it('keeps an interval that data has already', () => {
    expect(normalised({ type: 'kline_1m', data: { interval: '5m' } }).data).toEqual({ interval: '5m' });
  });

  it.each([[null], ['text'], [7], [[1, 2]], [undefined]])('leaves data alone when it is %j', (data) => {
    const result = normalised({ type: 'kline_1m', data });
    expect(result.type).toBe('kline');
    expect(result.data).toEqual(data);
  });

  it('adds no data where there is none', () => {
    expect('data' in normalised({ type: 'kline_1m' })).toBe(false);
  });
});

describe('timestamps', () => {
  it.each([
    ['1700000000000', 1_700_000_000_000],
    [' 1700000000000 ', 1_700_000_000_000],
    ['1700000000000.5', 1_700_000_000_000.5],
    ['1.7e12', 1_700_000_000_000],
  ])('T36: turns the numeric string %j into a number', (given, expected) => {
    expect(normalised({ timestamp: given }).timestamp).toBe(expected);
  });

  it.each([['2024-01-01T00:00:00.000Z'], ['2024-01-01'], ['soon'], [''], ['  '], ['Infinity'], [null], [12.5]])(
    'T36: leaves %j as it is',
    (given) => {
      expect(normalised({ timestamp: given }).timestamp).toBe(given);
    },
  );

  it('adds receivedAt where it is missing, and says so', () => {
    const ctx = context();
    expect(normalise({ type: 'trade' }, ctx, NOW_MS)).toMatchObject({ receivedAt: NOW_MS });
    expect(ctx.receivedAtAdded).toBe(true);
  });

  it('keeps the receivedAt of the source', () => {
    const ctx = context();
    expect(normalise({ receivedAt: 5 }, ctx, NOW_MS)).toMatchObject({ receivedAt: 5 });
    expect(ctx.receivedAtAdded).toBe(false);
  });
});

describe('what passes through', () => {
  it.each([
    [{}],
    [{ data: null }],
    [{ data: [1] }],
    [{ whatever: { deep: [1, { x: null }] } }],
    [{ 0: 'a', type: null }],
  ])('T31: forwards %j unchanged but for receivedAt', (given) => {
    expect(normalised(given)).toEqual({ ...given, receivedAt: NOW_MS });
  });

  it('hands data on as the same object', () => {
    const data = { price: 1 };
    expect(normalised({ type: 'trade', data }).data).toBe(data);
  });

  it('returns the very object when there is nothing to change', () => {
    const given = { exchange: 'a', symbol: 'B', type: 'trade', timestamp: 1, receivedAt: 2 };
    expect(normalised(given)).toBe(given);
  });

  it('takes frozen objects, and never changes what it was given', () => {
    const given = Object.freeze({
      exchange: 'BINANCE',
      symbol: 'btcusdt',
      type: 'kline_1m',
      timestamp: '1700000000000',
      data: Object.freeze({ open: 1 }),
    });
    const before = structuredClone(given);
    expect(normalised(given)).toEqual({
      exchange: 'binance',
      symbol: 'BTCUSDT',
      type: 'kline',
      timestamp: 1_700_000_000_000,
      data: { open: 1, interval: '1m' },
      receivedAt: NOW_MS,
    });
    expect(given).toEqual(before);
  });

  it('passes prototype-polluting keys on as plain data, without effect', () => {
    const text =
      '{"type":"kline_1m","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"data":{"__proto__":{"polluted":2}}}';
    const result = normalised(JSON.parse(text));
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect((result as { polluted?: number }).polluted).toBeUndefined();
    expect(Object.hasOwn(result, '__proto__')).toBe(true);
    expect(Object.hasOwn(result.data as object, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  });

  it('takes objects without a prototype and instances of classes', () => {
    class Tick {
      type = 'trades';
      price = 1;
    }
    expect(normalised(Object.assign(Object.create(null), { type: 'trades' }))).toMatchObject({ type: 'trade' });
    expect(normalised(new Tick())).toMatchObject({ type: 'trade', price: 1 });
  });

  it('lets a class speak for itself with toJSON', () => {
    class Tick {
      toJSON() {
        return { type: 'trades', price: 2 };
      }
    }
    expect(normalised(new Tick())).toEqual({ type: 'trade', price: 2, receivedAt: NOW_MS });
  });
});

describe('what is refused', () => {
  class Odd {
    toJSON() {
      return 'text';
    }
  }
  it.each([
    [null],
    [undefined],
    [[]],
    ['{}'],
    [1],
    [1n],
    [true],
    [Symbol('x')],
    [() => ({})],
    [new Date()],
    [new Map()],
    [Promise.resolve({})],
    [Buffer.from('{}')],
    [new String('x')],
    [new Odd()],
  ])('refuses %s as not a JSON object', (input) => {
    expect(normalise(input, context(), NOW_MS)).toBe('PUBLICATION_NOT_OBJECT');
  });

  it.each([[1], [true], [{}], [['trade']]])('refuses the type %j as invalid', (type) => {
    expect(normalise({ type }, context(), NOW_MS)).toBe('PUBLICATION_INVALID');
  });
});

describe('as a transformer among others', () => {
  it('counts, and throws the refusal with its code', () => {
    const transformer = new NormalisingTransformer();
    expect(transformer.transform({ type: 'trades' })).toMatchObject({ type: 'trade' });
    expect(() => transformer.transform([] as unknown as Publication)).toThrow(
      expect.objectContaining({ code: 'PUBLICATION_NOT_OBJECT' }),
    );
    expect(transformer.getStats()).toMatchObject({ transformedCount: 1, errorCount: 1 });
    expect(transformer.getStats().lastActivity).toBeGreaterThan(0);
  });
});

import { describe, expect, it } from 'vitest';
import { type GivenFilter, naivelyMatches } from '../../perf/truth/naive-matcher.ts';
import {
  type FilterTerms,
  filterKey,
  isFilterProblem,
  NAME_LENGTH_MAX,
  type ParsedFilter,
  parseFilter,
  termCount,
  termsMatch,
} from '../../src/subscription/filter.ts';

function parsed(payload: Record<string, unknown>): ParsedFilter {
  const answer = parseFilter(payload);
  if (isFilterProblem(answer)) throw new Error(`${answer.key} ${answer.problem}`);
  return answer;
}

function termsOf(payload: Record<string, unknown>): FilterTerms {
  return parsed(payload).terms;
}

describe('parseFilter (T12)', () => {
  it.each([
    ['lists', { exchange: ['Binance'], symbols: ['BTC/USDT'], dataTypes: ['trades'] }],
    ['strings', { exchange: 'Binance', symbols: 'BTC/USDT', dataTypes: 'trades' }],
    ['aliases', { exchanges: ['Binance'], symbol: 'BTC/USDT', types: ['trades'] }],
    ['other aliases', { exchanges: 'Binance', symbol: ['BTC/USDT'], dataType: 'trades' }],
  ])('takes %s', (_name, payload) => {
    expect(termsOf(payload)).toEqual({ exchanges: ['binance'], symbols: ['BTCUSDT'], dataTypes: ['trade'] });
  });

  it.each([
    ['no keys', {}],
    ['empty lists', { exchange: [], symbols: [], dataTypes: [] }],
    ['null', { exchange: null, symbols: null, dataTypes: null }],
    ['keys that it does not know', { venue: 'binance', type: 'subscribe' }],
  ])('takes %s for any', (_name, payload) => {
    expect(termsOf(payload)).toEqual({ exchanges: [], symbols: [], dataTypes: [] });
  });

  it('repeats what was given as it was given, under the usual keys, and nothing else', () => {
    expect(parsed({ exchanges: 'Binance', symbols: ['btc/usdt', 'BTCUSDT'], extra: 1 }).given).toEqual({
      exchange: 'Binance',
      symbols: ['btc/usdt', 'BTCUSDT'],
    });
    expect(parsed({ symbols: [] }).given).toEqual({ symbols: [] });
    expect(parsed({}).given).toEqual({});
  });

  it('reads names that differ only in their form as one', () => {
    expect(termsOf({ symbols: ['btc/usdt', 'BTC-USDT', 'BTCUSDT'] }).symbols).toEqual(['BTCUSDT']);
  });

  it.each([
    ['symbols', 5, 'is a number'],
    ['symbols', { BTC: true }, 'is an object'],
    ['symbols', true, 'is a boolean'],
    ['symbols', ['BTC', 5], 'item 1 is a number'],
    ['symbols', ['BTC', null], 'item 1 is null'],
    ['symbols', [['BTC']], 'item 0 is a list'],
    ['symbols', [''], 'item 0 is empty'],
    ['symbols', '', 'item 0 is empty'],
    ['exchanges', ['x'.repeat(NAME_LENGTH_MAX + 1)], `item 0 has ${NAME_LENGTH_MAX + 1} characters`],
    ['dataType', 7, 'is a number'],
  ])('refuses %s: %j and says where and why (T24)', (key, value, problem) => {
    expect(parseFilter({ [key]: value })).toEqual({ key, problem, allowed: expect.stringContaining('strings') });
  });

  it('takes a name of the greatest length', () => {
    expect(termsOf({ symbols: 'X'.repeat(NAME_LENGTH_MAX) }).symbols).toHaveLength(1);
  });

  it('does not look at what a payload inherits', () => {
    const payload = Object.create({ symbols: ['BTC'] }) as Record<string, unknown>;
    expect(termsOf(payload).symbols).toEqual([]);
  });

  it('reads a payload with a key named __proto__ like any other', () => {
    const payload = JSON.parse('{"__proto__":{"symbols":["X"]},"constructor":1}') as Record<string, unknown>;
    expect(parsed(payload)).toEqual({ terms: { exchanges: [], symbols: [], dataTypes: [] }, given: {} });
  });
});

describe('termCount', () => {
  it('counts the combinations, an empty list as one', () => {
    expect(termCount(termsOf({}))).toBe(1);
    expect(termCount(termsOf({ symbols: ['A', 'B', 'C'] }))).toBe(3);
    expect(termCount(termsOf({ exchange: ['x', 'y'], symbols: ['A', 'B', 'C'], dataTypes: ['trade', 'depth'] }))).toBe(
      12,
    );
  });
});

describe('filterKey', () => {
  it('is the same for filters that want the same, whatever their order and spelling', () => {
    const one = termsOf({ symbols: ['A/B', 'C'], dataTypes: ['trades', 'depth'] });
    const other = termsOf({ symbols: ['c', 'ab'], dataTypes: ['orderbook', 'trade'] });
    expect(filterKey(one)).toBe(filterKey(other));
  });

  it('differs for names that hold the separators of the key', () => {
    const keys = [['A","B'], ['A', 'B'], ['A,B'], ['A],[B']].map((symbols) => filterKey(termsOf({ symbols })));
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('termsMatch (T34)', () => {
  const topic = { exchange: 'binance', symbol: 'BTC/USDT', dataType: 'kline_1m' };
  const nameless = { exchange: null, symbol: null, dataType: null };

  it.each<[string, GivenFilter, typeof topic | typeof nameless, boolean]>([
    ['an empty filter', {}, topic, true],
    ['an empty filter of a topic without names', {}, nameless, true],
    ['any symbol of a topic without one', { symbols: [] }, nameless, true],
    ['a list of a topic without the field', { exchange: ['binance'] }, nameless, false],
    ['one of several names', { symbols: ['ETHUSDT', 'btcusdt'] }, topic, true],
    ['none of several names', { symbols: ['ETHUSDT', 'btcusd'] }, topic, false],
    ['all keys', { exchange: 'BINANCE', symbols: 'btc-usdt', dataTypes: 'kline_1m' }, topic, true],
    ['all keys but one', { exchange: 'BINANCE', symbols: 'btc-usdt', dataTypes: 'kline_5m' }, topic, false],
    ['klines of any interval', { dataTypes: 'kline' }, topic, true],
    ['klines of a month', { dataTypes: 'kline_1M' }, topic, false],
    ['another type that begins alike', { dataTypes: 'klin' }, topic, false],
    ['a symbol of nothing but separators', { symbols: ['/'] }, topic, false],
    ['a symbol of separators, of a topic named by others', { symbols: ['/'] }, { ...topic, symbol: '--' }, true],
  ])('answers %s', (_name, filter, name, matches) => {
    expect(termsMatch(termsOf({ ...filter }), name)).toBe(matches);
    expect(naivelyMatches(filter, name)).toBe(matches);
  });
});

import { describe, expect, it } from 'vitest';
import type { TopicName } from '../../src/ring/topic-directory.ts';
import type { FilterTerms } from '../../src/subscription/filter.ts';
import { SubscriptionIndex } from '../../src/subscription/subscription-index.ts';

const EVERYTHING: FilterTerms = { exchanges: [], symbols: [], dataTypes: [] };
const TOPIC: TopicName = { exchange: 'binance', symbol: 'BTCUSDT', dataType: 'kline_1m' };

/** Calls of `Map.prototype.get` while `work` runs. */
function mapLookups(work: () => void): number {
  const original = Map.prototype.get;
  let calls = 0;
  Map.prototype.get = function get(this: Map<unknown, unknown>, key: unknown) {
    calls++;
    return original.call(this, key);
  };
  try {
    work();
  } finally {
    Map.prototype.get = original;
  }
  return calls;
}

describe('SubscriptionIndex', () => {
  it('counts an entry for each combination that a filter names', () => {
    const index = new SubscriptionIndex<string>();
    index.add({ exchanges: ['a', 'b'], symbols: ['X', 'Y', 'Z'], dataTypes: [] }, 'entry');
    expect(index.size).toBe(6);
    index.add(EVERYTHING, 'entry');
    expect(index.size).toBe(7);
  });

  it('gives an entry once, however many of its filters match', () => {
    const index = new SubscriptionIndex<string>();
    index.add(EVERYTHING, 'entry');
    index.add({ ...EVERYTHING, symbols: ['BTCUSDT'] }, 'entry');
    index.add({ ...EVERYTHING, dataTypes: ['kline', 'kline_1m'] }, 'entry');
    expect([...index.match(TOPIC)]).toEqual(['entry']);
  });

  it('is empty again when all that was added is removed, in any order', () => {
    const index = new SubscriptionIndex<string>();
    const filters = [
      EVERYTHING,
      { exchanges: ['binance'], symbols: [], dataTypes: ['kline'] },
      { exchanges: ['binance', 'kraken'], symbols: ['BTCUSDT'], dataTypes: [] },
    ];
    for (const terms of filters) index.add(terms, 'entry');
    for (const terms of [filters[1]!, filters[2]!, filters[0]!]) index.remove(terms, 'entry');
    expect(index.size).toBe(0);
    expect(index.match(TOPIC).size).toBe(0);
  });

  it('looks nowhere where nothing is left', () => {
    const fresh = mapLookups(() => new SubscriptionIndex<string>().match(TOPIC));
    const index = new SubscriptionIndex<string>();
    const filters = [
      { exchanges: ['binance'], symbols: ['BTCUSDT'], dataTypes: ['kline_1m'] },
      { exchanges: ['binance'], symbols: [], dataTypes: [] },
      EVERYTHING,
    ];
    for (const terms of filters) index.add(terms, 'entry');
    for (const terms of filters) index.remove(terms, 'entry');
    expect(mapLookups(() => index.match(TOPIC))).toBe(fresh);
  });

  it('keeps an entry under a combination until the last of its filters that name it is removed', () => {
    const index = new SubscriptionIndex<string>();
    const [wide, narrow] = [
      { ...EVERYTHING, symbols: ['BTCUSDT', 'ETHUSDT'] },
      { ...EVERYTHING, symbols: ['BTCUSDT'] },
    ];
    for (const terms of [wide, narrow]) index.add(terms, 'entry');
    expect(index.size).toBe(2);
    index.remove(wide, 'entry');
    expect([index.size, [...index.match(TOPIC)]]).toEqual([1, ['entry']]);
    index.remove(narrow, 'entry');
    expect([index.size, index.match(TOPIC).size]).toEqual([0, 0]);
  });

  it('takes the removal of what it does not hold for nothing', () => {
    const index = new SubscriptionIndex<string>();
    index.remove({ exchanges: ['x'], symbols: ['Y'], dataTypes: ['z'] }, 'entry');
    index.add(EVERYTHING, 'entry');
    index.remove(EVERYTHING, 'another');
    index.remove({ ...EVERYTHING, exchanges: ['binance'] }, 'entry');
    expect(index.size).toBe(1);
  });

  it('looks up the same number of places whether it holds ten filters or twenty thousand', () => {
    const lookups = [10, 20_000].map((filters) => {
      const index = new SubscriptionIndex<number>();
      for (let i = 0; i < filters; i++) {
        index.add({ exchanges: ['binance'], symbols: [`SYM${i}`], dataTypes: ['trade'] }, i);
      }
      index.add({ exchanges: ['binance'], symbols: ['BTCUSDT'], dataTypes: ['kline'] }, -1);
      return mapLookups(() => expect([...index.match(TOPIC)]).toEqual([-1]));
    });
    expect(lookups[1]).toBe(lookups[0]);
    // Two exchanges, two symbols in each, three data types in each, and the data type's usual name.
    expect(lookups[1]).toBeLessThanOrEqual(2 + 4 + 12 + 1);
    expect(lookups[1]).toBeGreaterThan(0);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GivenFilter, naivelyMatches } from '../../perf/truth/naive-matcher.ts';
import { TopicCatalog } from '../../src/delivery/topic-catalog.ts';
import type { TopicName } from '../../src/ring/topic-directory.ts';
import { type FilterTerms, isFilterProblem, parseFilter, termsMatch } from '../../src/subscription/filter.ts';
import { TestTopics } from '../support/test-topics.ts';

const EXCHANGES = ['binance', 'Kraken', 'okx-futures'];
const SYMBOLS = ['BTC/USDT', 'btc-usdt', 'ETH_USDT', 'ethusdt', 'X', '/'];
const DATA_TYPES = ['trade', 'depth', 'kline', 'kline_1m', 'kline_1M', '24hrTicker'];

const topicName: fc.Arbitrary<TopicName> = fc.record({
  exchange: fc.option(fc.constantFrom(...EXCHANGES)),
  symbol: fc.option(fc.constantFrom(...SYMBOLS)),
  dataType: fc.option(fc.constantFrom(...DATA_TYPES)),
});
const filter: fc.Arbitrary<GivenFilter> = fc.record(
  { exchange: some(EXCHANGES), symbols: some(SYMBOLS), dataTypes: some([...DATA_TYPES, 'orderbook', 'ticker']) },
  { requiredKeys: [] },
);

function some(names: string[]): fc.Arbitrary<string[]> {
  return fc.array(fc.constantFrom(...names), { maxLength: 3 });
}

function termsOf(given: GivenFilter): FilterTerms {
  const parsed = parseFilter({ ...given });
  if (isFilterProblem(parsed)) throw new Error(parsed.problem);
  return parsed.terms;
}

describe('TopicCatalog', () => {
  it('matches what a filter matches, asked topic by topic, each once', () => {
    fc.assert(
      fc.property(fc.uniqueArray(topicName, { selector: JSON.stringify, maxLength: 30 }), filter, (names, given) => {
        const topics = new TestTopics();
        for (const { exchange, symbol, dataType } of names) topics.add(exchange, symbol, dataType);
        const terms = termsOf(given);
        const found = new TopicCatalog(topics.reader).matching(terms).toSorted((a, b) => a - b);
        const ids = [...names.keys()];
        expect(found).toEqual(ids.filter((id) => termsMatch(terms, names[id]!)));
        expect(found).toEqual(ids.filter((id) => naivelyMatches(given, names[id]!)));
      }),
    );
  });

  it('finds the earliest of the filters that match each topic, of few and of many', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(topicName, { selector: JSON.stringify, maxLength: 30 }),
        fc.array(fc.record({ terms: filter.map(termsOf), value: fc.nat(20) }), { minLength: 1, maxLength: 6 }),
        (names, filters) => {
          const topics = new TestTopics();
          for (const { exchange, symbol, dataType } of names) topics.add(exchange, symbol, dataType);
          const catalog = new TopicCatalog(topics.reader);
          const expected = new Map<number, number>();
          for (const [topic, name] of names.entries()) {
            const values = filters.filter(({ terms }) => termsMatch(terms, name)).map(({ value }) => value);
            if (values.length > 0) expected.set(topic, Math.min(...values));
          }
          const sorted = (found: Map<number, number>) => new Map([...found].sort(([a], [b]) => a - b));
          expect(sorted(catalog.earliest(filters))).toEqual(expected);
          const manyTimes = Array.from({ length: 200 }, () => [...names.keys()]).flat();
          expect(sorted(catalog.earliest(filters, manyTimes))).toEqual(expected);
        },
      ),
    );
  });

  // With a thousand filters for everything and the most topics that there may be, each pair was looked at: one ledger, one
  // resume or one "unsubscribe" of a single client stopped its shard for ten seconds.
  it('does not look at each filter for each topic', () => {
    const topics = new TestTopics();
    for (let i = 0; i < 300; i++) topics.add('binance', `S${i}`, 'trade');
    let looks = 0;
    const filters = Array.from({ length: 300 }, (_, value) => ({
      value,
      terms: {
        exchanges: [],
        symbols: [],
        get dataTypes() {
          looks++;
          return ['ticker', 'trade'];
        },
      },
    }));
    expect(new TopicCatalog(topics.reader).earliest(filters).size).toBe(300);
    expect(looks).toBeLessThan(1_000);
  });

  it('follows the directory', () => {
    const topics = new TestTopics();
    const catalog = new TopicCatalog(topics.reader);
    const bitcoin = termsOf({ symbols: ['BTCUSDT'] });
    expect([catalog.size, catalog.matching(bitcoin)]).toEqual([0, []]);
    topics.add('binance', 'BTC/USDT', 'trade');
    expect([catalog.size, catalog.matching(bitcoin)]).toEqual([1, [0]]);
    topics.add('kraken', null, null);
    topics.add('kraken', 'btc-usdt', 'depth');
    expect(catalog.matching(bitcoin)).toEqual([0, 2]);
    expect(catalog.name(1)).toEqual({ exchange: 'kraken', symbol: null, dataType: null });
  });
});

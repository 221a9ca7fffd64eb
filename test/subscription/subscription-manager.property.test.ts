import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type GivenFilter, naivelyMatches } from '../../perf/truth/naive-matcher.ts';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import type { TopicName } from '../../src/ring/topic-directory.ts';
import { isFilterProblem, parseFilter } from '../../src/subscription/filter.ts';
import { SubscriptionIndex } from '../../src/subscription/subscription-index.ts';
import { SubscriptionManager } from '../../src/subscription/subscription-manager.ts';
import { GatedSocket } from '../support/gated-socket.ts';
import { connectionOn } from '../support/test-connection.ts';
import { NO_WATCHER, TestTopics } from '../support/test-topics.ts';

const EXCHANGES = ['binance', 'Binance', 'KRAKEN', 'okx-futures'];
const SYMBOLS = ['BTC/USDT', 'btcusdt', 'ETH-USDT', 'eth_usdt', 'X', '/', '-_'];
const DATA_TYPES = [
  'trade',
  'trades',
  'depth',
  'orderbook',
  '24hrTicker',
  'ticker',
  'kline',
  'kline_1m',
  'kline_1M',
  'odd',
];

const filter: fc.Arbitrary<GivenFilter> = fc.record(
  { exchange: names(EXCHANGES), symbols: names(SYMBOLS), dataTypes: names(DATA_TYPES) },
  { requiredKeys: [] },
);
const topicName: fc.Arbitrary<TopicName> = fc.record({
  exchange: fc.option(fc.constantFrom(...EXCHANGES)),
  symbol: fc.option(fc.constantFrom(...SYMBOLS)),
  dataType: fc.option(fc.constantFrom(...DATA_TYPES)),
});

/** `on`: which of the connections there are, counted round; `which`: which of its filters. */
type Step =
  | { do: 'connect'; firehose: boolean }
  | { do: 'subscribe'; on: number; filter: GivenFilter }
  | { do: 'unsubscribe'; on: number; which: number }
  | { do: 'unsubscribeAll'; on: number }
  | { do: 'disconnect'; on: number }
  | { do: 'newTopic'; name: TopicName };

const pick = fc.nat(1_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('connect' as const), firehose: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('subscribe' as const), on: pick, filter }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), on: pick, which: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unsubscribeAll' as const), on: pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('disconnect' as const), on: pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('newTopic' as const), name: topicName }) },
);

function names(pool: string[]): fc.Arbitrary<string | string[]> {
  return fc.oneof(fc.constantFrom(...pool), fc.array(fc.constantFrom(...pool), { maxLength: 3 }));
}

/** What a connection wants, as the model remembers it. */
interface Wanted {
  everything: boolean;
  filters: Map<string, GivenFilter>;
}

/** The manager, and beside it a model that remembers every filter and asks each of them about each topic. */
class ManagerAndModel {
  readonly topics = new TestTopics();
  readonly manager = new SubscriptionManager(this.topics.reader, NO_WATCHER);
  readonly #wanted = new Map<PooledConnection, Wanted>();
  readonly #names: TopicName[] = [];
  #serial = 1;

  take(next: Step): void {
    switch (next.do) {
      case 'connect':
        return this.#connect(next.firehose);
      case 'newTopic':
        this.#names.push(next.name);
        this.topics.add(next.name.exchange, next.name.symbol, next.name.dataType);
        return;
      default:
        if (this.#wanted.size > 0) this.#change(next, [...this.#wanted.keys()][next.on % this.#wanted.size]!);
    }
  }

  /** Every topic goes to exactly those connections, each once, that the model names. */
  check(): void {
    for (const [topic, name] of this.#names.entries()) {
      const cohorts = this.manager.match(topic);
      const got = cohorts.flatMap(({ members }) => members.map(({ id }) => id));
      const expected = [...this.#wanted]
        .filter(
          ([, wanted]) => wanted.everything || [...wanted.filters.values()].some((one) => naivelyMatches(one, name)),
        )
        .map(([{ id }]) => id);
      expect(got.toSorted(), JSON.stringify(name)).toEqual(expected.toSorted());
      // Gathering for a cohort that everybody has left would be for nothing.
      for (const { members } of cohorts) expect(members).not.toHaveLength(0);
    }
    const filters = [...this.#wanted.values()].reduce((sum, wanted) => sum + wanted.filters.size, 0);
    expect(this.manager.filtersInForce).toBe(filters);
  }

  disconnectAll(): void {
    for (const connection of this.#wanted.keys()) this.manager.disconnect(connection);
    this.#wanted.clear();
  }

  #connect(firehose: boolean): void {
    const connection = connectionOn(new GatedSocket(), { serial: this.#serial++ });
    this.#wanted.set(connection, { everything: firehose, filters: new Map() });
    if (firehose) this.manager.joinFirehose(connection);
  }

  #change(next: Exclude<Step, { do: 'connect' | 'newTopic' }>, connection: PooledConnection): void {
    const wanted = this.#wanted.get(connection)!;
    if (next.do === 'subscribe') {
      wanted.everything = false;
      wanted.filters.set(this.#addFilter(connection, next.filter), next.filter);
    } else if (next.do === 'unsubscribe') {
      const filterId = [...wanted.filters.keys(), 'filter_of_nobody'][next.which % (wanted.filters.size + 1)]!;
      expect(this.manager.removeFilter(connection, filterId)).toBe(wanted.filters.delete(filterId));
    } else if (next.do === 'unsubscribeAll') {
      wanted.filters.clear();
      this.manager.removeAllFilters(connection);
    } else {
      this.#wanted.delete(connection);
      this.manager.disconnect(connection);
    }
  }

  #addFilter(connection: PooledConnection, given: GivenFilter): string {
    const parsed = parseFilter({ ...given });
    if (isFilterProblem(parsed)) throw new Error(parsed.problem);
    return this.manager.addFilter(connection, parsed.terms, parsed.given);
  }
}

afterEach(() => vi.restoreAllMocks());

describe('SubscriptionManager, after any sequence of changes', () => {
  it('delivers each topic to those whom a naive matcher names, once each, and holds nothing when all have gone', () => {
    const adding = vi.spyOn(SubscriptionIndex.prototype, 'add');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        adding.mockClear();
        const both = new ManagerAndModel();
        for (const next of steps) {
          both.take(next);
          both.check();
        }
        both.disconnectAll();
        both.check();
        expect(both.manager.cohortCount).toBe(0);
        // The index is the manager's own; it is known here by the calls it has had.
        const index = adding.mock.contexts[0] as SubscriptionIndex<unknown> | undefined;
        expect(index?.size ?? 0).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

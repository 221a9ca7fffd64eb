import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type GivenFilter, naivelyMatches } from '../../perf/truth/naive-matcher.ts';
import { Account } from '../../src/delivery/account.ts';
import { TopicCatalog } from '../../src/delivery/topic-catalog.ts';
import { TopicTable } from '../../src/delivery/topic-table.ts';
import { FRAME, NO_POSITION } from '../../src/ring/layout.ts';
import type { TopicName } from '../../src/ring/topic-directory.ts';
import { type FilterTerms, isFilterProblem, parseFilter } from '../../src/subscription/filter.ts';
import { TestTopics } from '../support/test-topics.ts';

const NAMES: TopicName[] = ['A', 'B', 'C'].flatMap((symbol) =>
  ['trade', 'ticker', 'kline_1m'].map((dataType) => ({ exchange: 'x', symbol, dataType })),
);

type Step =
  | { do: 'publish'; topic: number; times: number }
  /** @param back how many publications back it resumes from */
  | { do: 'subscribe'; filter: GivenFilter; back: number }
  | { do: 'unsubscribe'; which: number }
  | { do: 'unsubscribeAll' };

const filter: fc.Arbitrary<GivenFilter> = fc.record(
  {
    symbols: fc.array(fc.constantFrom('A', 'B', 'C'), { minLength: 1, maxLength: 2 }),
    dataTypes: fc.array(fc.constantFrom('trade', 'ticker', 'kline'), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      topic: fc.nat(NAMES.length - 1),
      times: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('subscribe' as const), filter, back: fc.nat(12) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unsubscribeAll' as const) }) },
);

/** An account, and beside it a list, by topic, of the publications that its connection was to get. */
class AccountAndList {
  readonly #topics = new TestTopics();
  readonly #table = new TopicTable();
  readonly #catalog = new TopicCatalog(this.#topics.reader);
  readonly #account = new Account();
  readonly #filters = new Map<string, GivenFilter>();
  readonly #owed = NAMES.map(() => new Set<number>());
  /** Topic of each publication, by seq. */
  readonly #published: number[] = [-1];
  #nextFilter = 1;

  constructor() {
    for (const { exchange, symbol, dataType } of NAMES) this.#topics.add(exchange, symbol, dataType);
  }

  take(next: Step): void {
    switch (next.do) {
      case 'publish':
        for (let i = 0; i < next.times; i++) this.#publish(next.topic);
        return;
      case 'subscribe':
        return this.#subscribe(next.filter, next.back);
      case 'unsubscribeAll':
        this.#account.endAll(this.#table, this.#catalog);
        return this.#filters.clear();
      case 'unsubscribe': {
        const filterId = [...this.#filters.keys()][next.which % (this.#filters.size + 1)] ?? 'no such filter';
        this.#account.end(filterId, this.#table, this.#catalog);
        this.#filters.delete(filterId);
      }
    }
  }

  check(): void {
    const owed = new Map<number, number>();
    for (const [topic, { size }] of this.#owed.entries()) if (size > 0) owed.set(topic, size);
    const published = this.#account.published(this.#table, this.#catalog);
    expect(new Map([...published].sort(([a], [b]) => a - b))).toEqual(owed);
  }

  #publish(topic: number): void {
    const seq = this.#published.push(topic) - 1;
    const place = { bytes: Buffer.alloc(0), frameStart: 0, frameEnd: 0, previous: NO_POSITION, at: 0 };
    const numbers = { seq, prevSeq: 0, ordinal: this.#table.ordinal(topic) + 1, dueUs: 0, policy: 0, slot: 0 };
    this.#table.observe({ ...place, ...numbers, kind: FRAME, topic });
    if (this.#wants(topic)) this.#owed[topic]!.add(seq);
  }

  /** As resumptions are: nothing that the connection gets already from a later point on, unless it has moved. */
  #subscribe(given: GivenFilter, back: number): void {
    const sinceSeq = Math.max(0, this.#table.seq - back);
    const covered = this.#account.coveredSince(this.#catalog);
    const isWhole = (topic: number) => covered.has(topic) && covered.get(topic)! <= sinceSeq;
    const wanted = [...NAMES.keys()].filter((topic) => naivelyMatches(given, NAMES[topic]!) && !isWhole(topic));
    const isRefused = wanted.some((topic) => covered.has(topic) && this.#table.lastSeq(topic) > sinceSeq);
    const filterId = `f${this.#nextFilter++}`;
    this.#filters.set(filterId, given);
    this.#account.begin(filterId, termsOf(given), this.#table, this.#catalog, isRefused ? this.#table.seq : sinceSeq);
    if (isRefused) return;
    for (let seq = sinceSeq + 1; seq < this.#published.length; seq++) {
      const topic = this.#published[seq]!;
      if (!wanted.includes(topic)) continue;
      // Nothing is replayed that it has had, while it was subscribed to it before: so it is owed once more.
      if (this.#owed[topic]!.has(seq)) this.#owed[topic]!.add(-seq - this.#nextFilter * 1_000_000);
      else this.#owed[topic]!.add(seq);
      this.#account.owe(topic, 1);
    }
  }

  #wants(topic: number): boolean {
    return [...this.#filters.values()].some((each) => naivelyMatches(each, NAMES[topic]!));
  }
}

function termsOf(given: GivenFilter): FilterTerms {
  const parsed = parseFilter({ ...given });
  if (isFilterProblem(parsed)) throw new Error(parsed.problem);
  return parsed.terms;
}

describe('Account', () => {
  it('knows how much was published for its connection, however its filters come, go and overlap', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const both = new AccountAndList();
        for (const each of steps) {
          both.take(each);
          both.check();
        }
      }),
      { numRuns: 500 },
    );
  });

  // Each filter held the numbers of all topics as they were when it began: 28 KB with 2,000 topics, and with 65,536 of them
  // 0.6 MB, so that one client with the thousand filters that it may have took more than its shard has.
  it('holds the numbers of a few topics for a filter that names few', () => {
    const topics = new TestTopics();
    for (let i = 0; i < 100; i++) topics.add('binance', `S${i}`, 'trade');
    const catalog = new TopicCatalog(topics.reader);
    const table = new TopicTable();
    const state = { seq: 1, ordinal: 5, policy: 0, slot: 0, latestAt: 0, bookAt: NO_POSITION };
    for (let topic = 0; topic < 100; topic++) table.restore(topic, state);
    const baseline = vi.spyOn(table, 'baseline');
    const account = new Account();
    account.begin('f1', termsOf({ symbols: ['S1', 'S2'] }), table, catalog, 1);
    expect(baseline).not.toHaveBeenCalled();
    table.restore(1, { ...state, ordinal: 7 });
    expect([...account.published(table, catalog)]).toEqual([[1, 2]]);
    account.begin('f2', termsOf({}), table, catalog, 1);
    expect(baseline).toHaveBeenCalledOnce();
  });
});

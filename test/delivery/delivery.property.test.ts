import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BookJudge } from '../../perf/truth/book-judge.ts';
import { ConservationJudge } from '../../perf/truth/conservation.ts';
import { MarketLog } from '../../perf/truth/market-log.ts';
import type { GivenFilter } from '../../perf/truth/naive-matcher.ts';
import type { DeliveryClient } from '../support/delivery-client.ts';
import { DeliveryShard } from '../support/delivery-shard.ts';

const CLIENTS = 3;
const SYMBOLS = ['A', 'B', 'C'];
const TYPES = ['trade', 'ticker', 'depth'];

type Step =
  | { do: 'publish'; count: number; type: number; symbol: number; dice: number }
  | { do: 'goRound'; times: number; dice: number }
  | { do: 'flush' }
  | { do: 'turn' }
  | { do: 'shut' | 'pass' | 'open' | 'leave' | 'comeBack' | 'ledger'; client: number }
  | { do: 'subscribe'; client: number; filter: GivenFilter; snapshot: boolean }
  | { do: 'unsubscribe'; client: number; which: number }
  | { do: 'pressure'; isOn: boolean };

const client = fc.nat(CLIENTS - 1);
const dice = fc.nat(999);
const filter: fc.Arbitrary<GivenFilter> = fc.record(
  {
    symbols: fc.uniqueArray(fc.constantFrom(...SYMBOLS), { minLength: 1, maxLength: 2 }),
    dataTypes: fc.uniqueArray(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      count: fc.integer({ min: 1, max: 12 }),
      type: fc.nat(TYPES.length - 1),
      symbol: fc.nat(SYMBOLS.length - 1),
      dice,
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('goRound' as const), times: fc.constantFrom(0.2, 0.5, 0.9, 1.5), dice }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constantFrom('shut' as const, 'shut', 'pass', 'pass', 'open', 'ledger'), client }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'comeBack'), client }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('subscribe' as const), client, filter, snapshot: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), client, which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pressure' as const), isOn: fc.boolean() }) },
);

/** A shard with a few clients who do as the steps say, and a log of all that was published. */
class ShardAndJudge {
  readonly #shard: DeliveryShard;
  readonly #log = new MarketLog();
  readonly #clients: DeliveryClient[];
  /** Filters that a client who has left comes back with. */
  readonly #wanted = new Map<DeliveryClient, readonly GivenFilter[]>();
  readonly #known = new Set<string>();

  constructor(ringBytes: number, pendingMessages: number, pendingBytes: number) {
    this.#shard = new DeliveryShard({ ringBytes, config: { limits: { pendingMessages, pendingBytes } } });
    this.#clients = Array.from({ length: CLIENTS }, (_, i) => this.#shard.client(i === 0 ? 'everything' : 'nothing'));
  }

  async take(next: Step): Promise<void> {
    switch (next.do) {
      case 'publish':
        for (let i = 0; i < next.count; i++) this.#publish(next.type, next.symbol + i, next.dice + i);
        return;
      case 'goRound':
        return this.#goRound(next.times, next.dice);
      case 'flush':
        return this.#shard.flush();
      case 'turn':
        return this.#shard.turns(2);
      case 'pressure':
        return this.#shard.delivery.conflateHarder(next.isOn);
      default:
        return this.#act(this.#clients[next.client]!, next);
    }
  }

  /** Everybody reads on: then each has been told everything, and only that. */
  async end(): Promise<void> {
    for (const each of this.#clients) {
      each.socket.open();
      if (this.#wanted.has(each)) this.#comeBack(each);
    }
    await this.#shard.settle();
    expect(this.#shard.delivery.behind.size).toBe(0);
    for (const each of this.#clients) each.ask('getLedger');
    expect(this.#problems()).toEqual([]);
    expect(this.#shard.closes).toEqual([]);
  }

  #problems(): string[] {
    const conservation = new ConservationJudge(this.#log.log);
    const books = new BookJudge(this.#log);
    for (const { checker } of this.#clients) {
      conservation.judge(checker.record);
      books.judge(checker.record, checker.books);
    }
    const ofClients = this.#clients.flatMap((each) => each.problems);
    return [...ofClients, ...conservation.problems.list(), ...books.problems.list()];
  }

  #publish(typeIndex: number, symbolIndex: number, dice: number, padding = 0): void {
    const type = TYPES[typeIndex % TYPES.length]!;
    const symbol = SYMBOLS[symbolIndex % SYMBOLS.length]!;
    const isNew = !this.#known.has(type + symbol);
    this.#known.add(type + symbol);
    const data = type === 'depth' ? bookOf(dice, isNew) : { n: dice };
    this.#add(type, symbol, padding === 0 ? data : { ...data, padding: 'x'.repeat(padding) });
  }

  /** Mostly trades, so that a topic may be quiet for longer than the ring reaches back. */
  #goRound(times: number, dice: number): void {
    const { publisher, ring } = this.#shard.stage;
    const from = publisher.bytes;
    for (let i = 0; publisher.bytes - from < times * ring.capacity; i++) {
      this.#publish(i % 5 === 0 ? dice + (i >> 4) : 0, (dice >> 4) + (i >> 5), dice + i, 400);
    }
  }

  #add(type: string, symbol: string, data: unknown): void {
    const { publisher, table, index } = this.#shard.stage;
    // Beyond the index nobody knows which publication of a topic was the first to be lost.
    if (publisher.seq - table.seq >= index.entries - 1) this.#shard.flush();
    this.#shard.stage.publish(type, symbol, data);
    this.#log.add({ exchange: 'binance', symbol, dataType: type }, { exchange: 'binance', symbol, type, data });
  }

  #act(actor: DeliveryClient, next: Extract<Step, { client: number }>): void {
    const isAway = this.#wanted.has(actor);
    if (next.do === 'comeBack' && isAway) return this.#comeBack(actor);
    if (isAway) return;
    switch (next.do) {
      case 'shut':
        return actor.socket.shut();
      case 'pass':
        return actor.socket.passOne();
      case 'open':
        return actor.socket.open();
      case 'leave':
        return this.#leave(actor);
      case 'ledger':
        return void actor.send('getLedger');
      case 'subscribe':
        return void actor.send('subscribe', { ...next.filter, snapshot: next.snapshot });
      case 'unsubscribe':
        return this.#unsubscribe(actor, next.which);
    }
  }

  /** Between two ledgers the end of a subscription is known to the publication. */
  #unsubscribe(actor: DeliveryClient, which: number): void {
    actor.read();
    const { filterIds, inForce } = actor.checker.subscriptions;
    // One that has never sent a filter has nothing to withdraw.
    if (inForce === 'everything') return;
    const filterId = filterIds[which % (filterIds.length + 1)];
    actor.send('getLedger');
    actor.send('unsubscribe', filterId === undefined ? {} : { filterId });
    actor.send('getLedger');
  }

  #leave(actor: DeliveryClient): void {
    actor.read();
    const { inForce } = actor.checker.subscriptions;
    this.#wanted.set(actor, inForce === 'everything' ? [{}] : inForce);
    actor.checker.lost();
    this.#shard.close(actor.connection, 'connectionLost');
    this.#shard.closes.length = 0;
  }

  #comeBack(actor: DeliveryClient): void {
    const filters = this.#wanted.get(actor)!;
    this.#wanted.delete(actor);
    this.#shard.connect(actor, 'nothing');
    const { epoch, seq } = actor.checker.resumePoint;
    const resume = seq === undefined ? {} : { resume: { epoch, seq } };
    for (const each of filters) actor.send('subscribe', { ...each, ...resume });
  }
}

/** A few prices that come and go; the first one of a topic is a whole book. One in twelve is no book at all. */
function bookOf(dice: number, isFirst: boolean): object {
  if (!isFirst && dice % 12 === 0) return { note: dice };
  const level = (shift: number): [number, number] => [100 + ((dice + shift) % 7), (dice >> 2) % 3];
  const isSnapshot = isFirst || dice % 9 === 0;
  return { bids: [level(0), level(3)], asks: [level(5)], ...(isSnapshot ? { isSnapshot } : {}) };
}

describe('Delivery', () => {
  it('tells every client what became of each publication, whatever all of them do', { timeout: 120_000 }, async () => {
    // The larger one holds more than is written to a socket at a time, so a replay can be overtaken.
    const ringBytes = fc.constantFrom(64 * 1024, 256 * 1024);
    const messages = fc.constantFrom(0, 0, 4, 20);
    const bytes = fc.constantFrom(0, 0, 3_000);
    const steps = fc.array(step, { maxLength: 150, size: 'max' });
    await fc.assert(
      fc.asyncProperty(ringBytes, messages, bytes, steps, async (ringBytes, messages, bytes, steps) => {
        const both = new ShardAndJudge(ringBytes, messages, bytes);
        for (const each of steps) await both.take(each);
        await both.end();
      }),
      { numRuns: 300 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GivenFilter, naivelyMatches } from '../../perf/truth/naive-matcher.ts';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import { textsOf } from '../support/received-frames.ts';
import { type PoolClient, TestPool } from '../support/test-pool.ts';

const SYMBOLS = ['A', 'B', 'C'];
const FILTERS: GivenFilter[] = [
  {},
  { symbols: 'A' },
  { symbols: ['A', 'B'] },
  { symbols: 'C' },
  { dataTypes: 'trade' },
  { exchange: 'nowhere' },
];

/** `on`: which of the clients there are, counted round. */
type Step =
  | { do: 'connect'; firehose: boolean }
  | { do: 'subscribe'; on: number; filter: GivenFilter }
  | { do: 'unsubscribeAll' | 'disconnect' | 'settle' | 'shut' | 'open' | 'passOne' | 'rejoin'; on: number }
  | { do: 'publish'; symbol: string; length: number }
  | { do: 'flush' };

const on = fc.nat(1_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('connect' as const), firehose: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('subscribe' as const), on, filter: fc.constantFrom(...FILTERS) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        ...(['unsubscribeAll', 'disconnect', 'settle', 'shut', 'shut', 'open', 'passOne', 'passOne'] as const),
        ...(['rejoin', 'rejoin'] as const),
      ),
      on,
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      symbol: fc.constantFrom(...SYMBOLS),
      length: fc.oneof({ weight: 8, arbitrary: fc.nat(200) }, { weight: 1, arbitrary: fc.nat(20_000) }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: 'flush' as const }) },
);

/** What a client wants, and the numbers of the publications it is to get. */
interface Expectation {
  everything: boolean;
  filters: GivenFilter[];
  numbers: number[];
}

/** The pool, and beside it a model that hands every publication at once to those who want it. */
class PoolAndModel {
  readonly pool: TestPool;
  readonly #expected = new Map<PoolClient, Expectation>();
  #published = 0;

  constructor(pool: TestPool) {
    this.pool = pool;
  }

  take(next: Step): void {
    if (next.do === 'connect') {
      const client = this.pool.client(next.firehose ? 'firehose' : undefined);
      this.#expected.set(client, { everything: next.firehose, filters: [], numbers: [] });
    } else if (next.do === 'publish') {
      this.#publish(next.symbol, next.length);
    } else if (next.do === 'flush') {
      this.pool.flushAll();
    } else if (this.#expected.size > 0) {
      this.#change(next, [...this.#expected.keys()][next.on % this.#expected.size]!);
    }
  }

  /** Lets everything through that is on its way, and compares each client's with the model's, byte by byte. */
  check(): void {
    this.pool.flushAll();
    for (const [{ connection, socket }, { numbers }] of this.#expected) {
      socket.open();
      const texts = textsOf(socket.received);
      const noted = this.pool.noted.get(connection) ?? [];
      for (const text of [...texts, ...noted]) expect(text === textOf(numberOf(text), text.length)).toBe(true);
      for (const lane of [texts, noted]) expect(lane.map(numberOf)).toEqual(ascending(lane.map(numberOf)));
      const all = ascending([...texts, ...noted].map(numberOf));
      expect(all).toEqual(connection.state === 'open' ? numbers : numbers.slice(0, all.length));
      expect([connection.messagesSent, connection.bytesSent]).toEqual([texts.length, socket.received.length]);
    }
  }

  /** The counters agree with each other and with what the sockets have got. */
  checkStatistics(): void {
    const { statistics } = this.pool;
    const sockets = [...this.#expected.keys()].map(({ socket }) => socket);
    const bytes = sockets.reduce((sum, { received }) => sum + received.length, 0);
    const messages = sockets.reduce((sum, { received }) => sum + textsOf(received).length, 0);
    expect(this.pool.deliveries()).toEqual({ count: messages, bytes });
    expect(statistics.get('messagesForwarded')).toBe(messages);
    expect(statistics.get('bytesForwarded')).toBe(bytes);
    expect(statistics.get('socketWrites')).toBe(sockets.reduce((sum, { pieces }) => sum + pieces.length, 0));
  }

  #publish(symbol: string, length: number): void {
    const name = { exchange: 'binance', symbol, dataType: 'trade' };
    const number = this.#published++;
    for (const [{ connection }, { everything, filters, numbers }] of this.#expected) {
      const wants = everything || filters.some((filter) => naivelyMatches(filter, name));
      if (wants && connection.state === 'open') numbers.push(number);
    }
    this.pool.publish(symbol, textOf(number, length));
  }

  #change(next: Exclude<Step, { do: 'connect' | 'publish' | 'flush' }>, client: PoolClient): void {
    const { connection, socket } = client;
    if (next.do === 'shut') socket.shut();
    else if (next.do === 'open') socket.open();
    else if (next.do === 'passOne') socket.passOne();
    // What a connection that was found too slow asks for is not done any more.
    else if (connection.state === 'open') this.#ask(next, connection, this.#expected.get(client)!);
  }

  #ask(next: Exclude<Step, { do: 'connect' | 'publish' | 'flush' }>, connection: PooledConnection, wants: Expectation) {
    if (next.do === 'settle') {
      this.pool.pool.settle(connection);
    } else if (next.do === 'rejoin') {
      if (connection.backlog !== undefined) this.pool.rejoin(connection);
    } else if (next.do === 'subscribe') {
      this.pool.subscribe(connection, next.filter);
      wants.filters.push(next.filter);
      wants.everything = false;
    } else if (next.do === 'unsubscribeAll') {
      this.pool.subscriptions.removeAllFilters(connection);
      wants.filters = [];
    } else {
      this.pool.disconnect(connection);
    }
  }
}

function textOf(number: number, length: number): string {
  return `${number}:`.padEnd(length, `${number % 10}abcdefgh`);
}

function numberOf(text: string): number {
  return Number(text.split(':', 1)[0]);
}

function ascending(numbers: number[]): number[] {
  return numbers.toSorted((one, other) => one - other);
}

describe('ConnectionPoolManager, after any sequence of changes, with sockets that stall', () => {
  it('delivers to each connection exactly what it wanted when it was published, in order, unchanged', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80, size: 'max' }),
        fc.constantFrom(500, 10_000, 1e9),
        (steps, batchBytesMax) => {
          const both = new PoolAndModel(new TestPool({ batchBytesMax }));
          for (const next of steps) both.take(next);
          both.check();
          both.checkStatistics();
        },
      ),
      { numRuns: 400 },
    );
  });

  it('delivers or notes for each connection all of that, each publication once, however much the sockets may hold', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80, size: 'max' }),
        fc.constantFrom(0, 100, 1_000),
        (steps, highWaterBytes) => {
          const both = new PoolAndModel(new TestPool({ batchBytesMax: 2_000, highWaterBytes }));
          for (const next of steps) both.take(next);
          both.check();
          both.checkStatistics();
        },
      ),
      { numRuns: 400 },
    );
  });

  it('delivers to those that keep up all of it, and to those that are closed on the way a beginning of it', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80, size: 'max' }),
        fc.constantFrom(0, 100, 1_000),
        (steps, highWaterBytes) => {
          const test: TestPool = new TestPool({
            batchBytesMax: 2_000,
            highWaterBytes,
            fellBehind: (connection) => test.disconnect(connection),
          });
          const both = new PoolAndModel(test);
          for (const next of steps) both.take(next);
          both.check();
          both.checkStatistics();
        },
      ),
      { numRuns: 400 },
    );
  });
});

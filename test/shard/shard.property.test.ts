import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GivenFilter } from '../../perf/truth/naive-matcher.ts';
import { FixedPolicy } from '../../src/batch/flush-policy.ts';
import { SequenceIndexReader } from '../../src/ring/sequence-index.ts';
import { TopicRestorer } from '../../src/shard/topic-restorer.ts';
import { adaptivePolicy } from '../support/adaptive-policy.ts';
import { holdClock, letTurnsPass } from '../support/let-turns-pass.ts';
import type { ShardClient } from '../support/shard-client.ts';
import { TestShard, type TestShardOptions } from '../support/test-shard.ts';

/** Happen once: when a lapped shard knows where to go on, and when it knows of each topic where it stands. */
const midway = { early() {}, late() {} };

beforeEach(() => {
  holdClock();
  const { newest } = SequenceIndexReader.prototype;
  const { restore } = TopicRestorer.prototype;
  vi.spyOn(SequenceIndexReader.prototype, 'newest').mockImplementation(function (this: SequenceIndexReader) {
    const seq = newest.call(this);
    happen('early');
    return seq;
  });
  vi.spyOn(TopicRestorer.prototype, 'restore').mockImplementation(function (this: TopicRestorer) {
    const moved = restore.call(this);
    happen('late');
    return moved;
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function happen(when: keyof typeof midway): void {
  const work = midway[when];
  midway[when] = () => {};
  work();
}

const SYMBOLS = ['A', 'B', 'C'];
const FILTERS: GivenFilter[] = [
  {},
  { symbols: 'A' },
  { symbols: ['A', 'B'] },
  { dataTypes: 'trade' },
  { dataTypes: ['depth', 'ticker'] },
  { symbols: 'C', dataTypes: 'depth' },
  { exchange: 'nowhere' },
];

interface Publications {
  type: string;
  symbol: string;
  times: number;
  padding: number;
  data: object;
}

/** `on`: which of the clients, counted round. */
type Step =
  | ({ do: 'publish' } & Publications)
  /** The primary publishes these while the shard, lapped once more, finds out where it is. */
  | ({ do: 'publishEarly' | 'publishLate' } & Publications)
  | { do: 'turn' | 'flush' | 'time' | 'turns' }
  | {
      do: 'shut' | 'open' | 'passOne' | 'unsubscribeAll' | 'unsubscribeOne' | 'ledger' | 'resume';
      on: number;
    }
  | { do: 'subscribe'; on: number; filter: GivenFilter; snapshot: boolean };

const level = fc.tuple(fc.integer({ min: 1, max: 8 }), fc.constantFrom(0, 0, 1, 2, 3));
const book = fc.record({
  bids: fc.array(level, { maxLength: 4 }),
  asks: fc.array(level, { maxLength: 4 }),
  isSnapshot: fc.constantFrom(false, false, false, true),
});
const publish = fc
  .tuple(
    fc.constantFrom(...Array<'publish'>(14).fill('publish'), 'publishEarly' as const, 'publishLate' as const),
    fc.constantFrom('trade', 'trade', 'ticker', 'depth', 'depth', 'depth', 'odd'),
    fc.constantFrom(...SYMBOLS),
    fc.constantFrom(1, 1, 1, 3, 20, 60),
    fc.constantFrom(0, 0, 100, 2_000, 8_000),
    book,
  )
  .map(([when, type, symbol, times, padding, data]): Step => {
    if (type === 'depth') return { do: when, type, symbol, times, padding, data };
    // Something under the name of a book that is none.
    return { do: when, type: type === 'odd' ? 'depth' : type, symbol, times, padding, data: {} };
  });
const on = fc.nat(100);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: publish },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('turn' as const, 'turn', 'flush', 'time', 'turns') }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('shut' as const, 'shut', 'open', 'open', 'passOne', 'ledger'), on }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('unsubscribeAll' as const, 'unsubscribeOne', 'resume', 'resume'),
      on,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      on,
      filter: fc.constantFrom(...FILTERS),
      snapshot: fc.boolean(),
    }),
  },
);

/** Does one step after the other to a shard and four clients of its. */
class Walk {
  readonly test: TestShard;
  readonly clients: ShardClient[];
  /** Who has been told a value from behind the point that it would resume from: to resume from there would repeat it. */
  readonly #aheadOfResume = new Set<ShardClient>();

  constructor(options: TestShardOptions) {
    this.test = new TestShard(options);
    this.clients = [
      this.test.client(),
      this.test.client({}),
      this.test.client({ symbols: 'A' }),
      this.test.client('none'),
    ];
  }

  async take(next: Step): Promise<void> {
    const { test } = this;
    switch (next.do) {
      case 'publish':
        return this.#publish(next);
      case 'publishEarly':
        midway.early = () => this.#publish(next);
        return;
      case 'publishLate':
        midway.late = () => this.#publish(next);
        return;
      case 'turn':
        return test.duty.turn();
      case 'flush':
        return test.duty.flush();
      case 'time':
        vi.advanceTimersByTime(20);
        return;
      case 'turns':
        return letTurnsPass();
      default:
        this.#ask(next, this.clients[next.on % this.clients.length]!);
    }
  }

  /** Lets everything through. */
  async end(): Promise<void> {
    midway.early = () => {};
    midway.late = () => {};
    for (const { socket } of this.clients) socket.open();
    for (let i = 0; i < 5; i++) await this.test.settle();
    this.test.duty.stop();
    this.test.delivery.stop();
  }

  #publish({ type, symbol, times, padding, data }: Publications): void {
    for (let i = 0; i < times; i++) {
      this.test.primary.publishAs(type, symbol, { ...data, padding: 'x'.repeat(padding) });
    }
  }

  #ask(next: Extract<Step, { on: number }>, client: ShardClient): void {
    switch (next.do) {
      case 'shut':
      case 'open':
      case 'passOne':
        return client.socket[next.do]();
      case 'ledger':
        return void client.send('getLedger');
      case 'unsubscribeAll':
        return void client.send('unsubscribe');
      case 'unsubscribeOne':
        return void client.send('unsubscribe', { filterId: client.connection.filters.keys().next().value ?? 'none' });
      case 'subscribe':
        return this.#subscribe(client, next.filter, next.snapshot);
      case 'resume':
        return this.#resume(client);
    }
  }

  #subscribe(client: ShardClient, filter: GivenFilter, snapshot: boolean): void {
    void client.received;
    if (snapshot && !client.checker.subscriptions.coversNothing) this.#aheadOfResume.add(client);
    client.send('subscribe', { ...filter, snapshot });
  }

  /** The client comes back with what it had subscribed to, and goes on where it was. */
  #resume(client: ShardClient): void {
    const { checker } = client;
    void client.received;
    const { inForce } = checker.subscriptions;
    this.test.reconnect(client);
    const { epoch, seq } = checker.resumePoint;
    const canResume = seq !== undefined && !this.#aheadOfResume.delete(client);
    for (const filter of inForce === 'everything' ? [{}] : inForce) {
      client.send('subscribe', { ...filter, ...(canResume ? { resume: { epoch, seq } } : {}) });
    }
  }
}

describe('a shard, whatever is published and asked, with sockets that stall', () => {
  it.each<[string, () => TestShardOptions]>([
    ['adaptive', () => ({ policy: adaptivePolicy(100, 10) })],
    ['fixed', () => ({ policy: new FixedPolicy(10, 20) })],
    ['with a large ring', () => ({ ringBytes: 8 * 1024 * 1024 })],
    ['with room for little', () => ({ config: { limits: { pendingMessages: 5, pendingBytes: 20_000 } } })],
  ])('tells every client of every publication exactly once: %s', async (_name, options) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), async (steps) => {
        const walk = new Walk({ highWaterBytes: 1_000, ...options() });
        for (const next of steps) await walk.take(next);
        await walk.end();
        expect(walk.clients.map((client) => walk.test.problemsOf(client))).toEqual([[], [], [], []]);
      }),
      { numRuns: 200, interruptAfterTimeLimit: 20_000 },
    );
  });
});

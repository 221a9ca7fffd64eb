import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WireMessage } from '../../perf/truth/wire-message.ts';
import { FixedPolicy } from '../../src/batch/flush-policy.ts';
import { holdClock, letTurnsPass } from '../support/let-turns-pass.ts';
import type { ShardClient } from '../support/shard-client.ts';
import { TestShard, type TestShardOptions } from '../support/test-shard.ts';

const RING_BYTES = 1024 * 1024;
const EPOCH = 'test-epoch';

beforeEach(holdClock);

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function shard(options: TestShardOptions = {}): TestShard {
  return new TestShard({ ringBytes: RING_BYTES, highWaterBytes: 1_000, ...options });
}

/** Publishes five trades of A and B by turns, three tickers and an order book; the shard has read them. */
function published(options: TestShardOptions = {}): TestShard {
  const test = shard(options);
  for (const symbol of ['A', 'B', 'A', 'B', 'A']) test.publish(symbol);
  for (let price = 1; price <= 3; price++) test.primary.publishAs('ticker', 'T', { price });
  test.primary.publishAs('depth', 'D', { bids: [[10, 1]], asks: [[11, 1]], isSnapshot: true });
  test.primary.publishAs('depth', 'D', { bids: [[9, 2]], asks: [[11, 0]] });
  test.duty.flush();
  return test;
}

function tails(messages: readonly WireMessage[]): unknown[] {
  return messages.map(({ seq, prevSeq, snapshot }) => (snapshot ? [seq, prevSeq, 'snapshot'] : [seq, prevSeq]));
}

/** Types of messages, and of data frames their seq. */
function inOrder({ received }: ShardClient): unknown[] {
  return received.map(({ type, seq }) => seq ?? type);
}

describe('subscribe with snapshot', () => {
  it('is followed by the latest value of each topic that matches, oldest first, and then by what is published', async () => {
    const test = published();
    const client = test.client('none');
    const reply = client.ask('subscribe', { snapshot: true });
    expect(reply).toEqual({
      filterId: expect.any(String),
      filter: {},
      seq: 10,
      snapshot: { topics: 4, missing: 0 },
    });
    test.publish('A');
    await test.settle();
    expect(tails(client.data())).toEqual([
      [4, 0, 'snapshot'],
      [5, 0, 'snapshot'],
      [8, 0, 'snapshot'],
      [10, 0, 'snapshot'],
      [11, 5],
    ]);
    expect(client.data('D')[0]!.payload.data).toEqual({
      bids: [
        [10, 1],
        [9, 2],
      ],
      asks: [],
      isSnapshot: true,
      n: 10,
    });
    expect(test.statistics.get('snapshotsSent')).toBe(4);
    expect(test.problemsOf(client)).toEqual([]);
    expect(client.ask('getLedger')).toMatchObject({ state: 'live', published: 1, delivered: 1, snapshots: 4 });
  });

  it('says nothing of snapshots where none is asked for', async () => {
    const test = published();
    const client = test.client('none');
    expect(client.ask('subscribe', {})).toEqual({ filterId: expect.any(String), filter: {}, seq: 10 });
    await test.settle();
    expect(client.data()).toEqual([]);
  });

  it('is what a subscription gets that does not say, where the configuration says so', async () => {
    const test = published({ config: { snapshot: { default: true } } });
    const [asking, declining] = [test.client('none'), test.client('none')];
    expect(asking.ask('subscribe', { symbols: 'A' })).toMatchObject({ snapshot: { topics: 1, missing: 0 } });
    expect(declining.ask('subscribe', { symbols: 'A', snapshot: false })).not.toHaveProperty('snapshot');
    await test.settle();
    expect([asking.seqs(), declining.seqs()]).toEqual([[5], []]);
  });

  it('says how many values there are none of', async () => {
    const test = shard({ ringBytes: 64 * 1024 });
    for (let i = 0; i < 20; i++) test.publish(`S${i}`, 2_000);
    for (let i = 0; i < 60; i++) test.publish('A', 2_000);
    test.duty.flush();
    test.primary.publishAs('depth', 'D', { text: 'no book' });
    test.duty.flush();
    const client = test.client('none');
    const { snapshot } = client.ask('subscribe', { snapshot: true }) as {
      snapshot: { topics: number; missing: number };
    };
    await test.settle();
    expect(client.data()).toHaveLength(snapshot.topics);
    expect(snapshot.missing).toBeGreaterThan(0);
    expect(snapshot.topics + snapshot.missing).toBe(22);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('restates what the connection gets already, and delivers nothing of it twice', async () => {
    const test = published({ policy: new FixedPolicy(1_000, 50) });
    const client = test.client({ symbols: 'A' });
    test.publish('A');
    test.duty.turn();
    client.ask('subscribe', { symbols: ['A', 'B'], snapshot: true });
    test.publish('A');
    await test.settle();
    expect(tails(client.data('A'))).toEqual([
      [11, 5],
      [11, 0, 'snapshot'],
      [12, 11],
    ]);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('sends the values of the moment to a client that is slow, and behind them all that came meanwhile', async () => {
    const test = published();
    const client = test.client({ symbols: 'NEVER' });
    client.socket.shut();
    for (let i = 0; i < 20; i++) client.send('ping', { fill: 'x'.repeat(100) });
    client.send('subscribe', { snapshot: true });
    for (let price = 4; price <= 6; price++) test.primary.publishAs('ticker', 'T', { price });
    test.publish('A');
    test.primary.publishAs('depth', 'D', { bids: [[8, 1]], asks: [] });
    test.duty.flush();
    client.socket.open();
    await test.settle();
    expect(test.problemsOf(client)).toEqual([]);
    expect(client.data('T').at(-1)).toMatchObject({ seq: 13, payload: { data: { price: 6 } } });
  });
});

describe('subscribe with resume', () => {
  it('replays what was missed, as it was published, and goes on from there', async () => {
    const test = published();
    const witness = test.client();
    const client = test.client({ symbols: ['A', 'B'] });
    test.publish('A');
    test.duty.flush();
    test.reconnect(client);
    for (const symbol of ['A', 'C', 'B', 'A']) test.publish(symbol);
    test.duty.flush();
    const reply = client.ask('subscribe', { symbols: ['A', 'B'], resume: { epoch: EPOCH, seq: 11 } });
    expect(reply).toEqual({
      filterId: expect.any(String),
      filter: { symbols: ['A', 'B'] },
      seq: 15,
      resumed: true,
      replayed: 3,
    });
    test.publish('B');
    await test.settle();
    expect(tails(client.data())).toEqual([
      [12, 11],
      [14, 4],
      [15, 12],
      [16, 14],
    ]);
    const same = witness.data().filter(({ seq }) => client.seqs().includes(seq!));
    expect(client.data()).toEqual(same);
    expect(test.problemsOf(client)).toEqual([]);
    const { statistics } = test;
    expect([statistics.get('resumesAccepted'), statistics.get('replayed')]).toEqual([1, 3]);
    expect(client.ask('getLedger')).toMatchObject({ published: 4, delivered: 4, snapshots: 0 });
  });

  it('replays everything since the beginning for one who had nothing', async () => {
    const test = published();
    const client = test.client('none');
    expect(client.ask('subscribe', { resume: { epoch: EPOCH, seq: 0 } })).toMatchObject({
      resumed: true,
      replayed: 10,
    });
    await test.settle();
    expect(client.seqs()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('replays nothing where nothing was missed', async () => {
    const test = published();
    const client = test.client('none');
    const resume = { epoch: EPOCH, seq: 5 };
    expect(client.ask('subscribe', { symbols: ['A', 'B'], resume })).toMatchObject({
      resumed: true,
      replayed: 0,
      seq: 10,
    });
    test.publish('B');
    await test.settle();
    expect(tails(client.data())).toEqual([[11, 4]]);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('goes on from a publication that another shard has delivered and this one has not read yet', async () => {
    const test = published();
    const seq = test.publish('A');
    const client = test.client('none');
    expect(client.ask('subscribe', { resume: { epoch: EPOCH, seq } })).toMatchObject({
      resumed: true,
      replayed: 0,
      seq,
    });
    test.publish('A');
    await test.settle();
    expect(client.seqs()).toEqual([12]);
  });

  // The mechanism: to see whether it has that publication the shard reads on, by which the client may fall behind. What then
  // waited for it of its other filters came behind the replay, though it was older.
  it('waits where reading on to that publication makes the client fall behind', async () => {
    const test = published({ policy: new FixedPolicy(1, 50) });
    const client = test.client({ symbols: 'A' });
    client.socket.shut();
    for (let i = 0; i < 3; i++) test.publish('A', 2_000);
    const seq = test.publish('B');
    test.primary.publishAs('ticker', 'T');
    const id = client.send('subscribe', { symbols: 'T', resume: { epoch: EPOCH, seq } });
    test.publish('A');
    test.duty.flush();
    client.socket.open();
    await test.settle();
    expect(client.replyTo(id)!.payload).toMatchObject({ resumed: true, replayed: 1 });
    expect(client.seqs('A')).toEqual([11, 12, 13, 16]);
    expect(client.seqs('T')).toEqual([15]);
    expect(client.ask('getLedger')).toMatchObject({ published: 5, delivered: 5, pending: 0 });
  });

  it.each<[string, () => [TestShard, { epoch: string; seq: number }]]>([
    ['UNKNOWN_EPOCH', () => [published(), { epoch: 'another', seq: 5 }]],
    ['SEQ_IN_FUTURE', () => [published(), { epoch: EPOCH, seq: 11 }]],
    [
      'HISTORY_TOO_SHORT',
      () => {
        const test = published({ ringBytes: 64 * 1024 });
        for (let i = 0; i < 100; i++) {
          test.publish('A', 1_000);
          test.duty.flush();
        }
        return [test, { epoch: EPOCH, seq: 5 }];
      },
    ],
  ])('is refused with %s, and followed by the values of what can be merged', async (reason, situation) => {
    const [test, resume] = situation();
    const [client, asking] = [test.client('none'), test.client('none')];
    expect(client.ask('subscribe', { resume })).toEqual({
      filterId: expect.any(String),
      filter: {},
      seq: test.table.seq,
      resumed: false,
      reason,
      snapshot: { topics: 2, missing: 0 },
    });
    expect(asking.ask('subscribe', { resume, snapshot: true })).toMatchObject({
      reason,
      snapshot: { topics: 4, missing: 0 },
    });
    const next = test.publish('A');
    await test.settle();
    expect(client.data().map(({ payload, snapshot }) => [payload.symbol, snapshot])).toEqual([
      ['T', true],
      ['D', true],
      ['A', undefined],
    ]);
    expect(client.seqs().at(-1)).toBe(next);
    expect(asking.data()).toHaveLength(5);
    expect([client, asking].map((each) => test.problemsOf(each))).toEqual([[], []]);
    expect(test.statistics.get('resumesRefused')).toBe(2);
  });

  it('is accepted though the ring does not reach back, where all that was missed can be read', async () => {
    const test = published({ ringBytes: 64 * 1024 });
    for (let i = 0; i < 100; i++) {
      test.publish('A', 1_000);
      test.duty.flush();
    }
    const seq = test.publish('B');
    test.duty.flush();
    const client = test.client('none');
    const resume = { epoch: EPOCH, seq: 4 };
    expect(client.ask('subscribe', { symbols: 'B', resume })).toMatchObject({ resumed: true, replayed: 1 });
    await test.settle();
    expect(tails(client.data())).toEqual([[seq, 4]]);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('is refused with ALREADY_SUBSCRIBED where the connection gets a part of it from later on', async () => {
    const test = published();
    const client = test.client({ symbols: 'A' });
    const reply = client.ask('subscribe', { symbols: ['A', 'B'], resume: { epoch: EPOCH, seq: 2 } });
    expect(reply).toMatchObject({ resumed: false, reason: 'ALREADY_SUBSCRIBED' });
    test.publish('B');
    await test.settle();
    expect(tails(client.data())).toEqual([[11, 4]]);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('replays for a second filter what the first has not brought', async () => {
    const test = published();
    const client = test.client('none');
    const resume = { epoch: EPOCH, seq: 2 };
    expect(client.ask('subscribe', { symbols: 'A', resume })).toMatchObject({ resumed: true, replayed: 2 });
    await letTurnsPass();
    expect(client.ask('subscribe', { symbols: ['A', 'B'], resume })).toMatchObject({ resumed: true, replayed: 1 });
    await test.settle();
    expect(client.seqs()).toEqual([3, 5, 4]);
    expect(client.ask('getLedger')).toMatchObject({ published: 3, delivered: 3 });
  });

  it('reads on in the ring as slowly as the client reads, also what is published meanwhile', async () => {
    const test = published();
    for (let i = 0; i < 60; i++) test.publish('A', 3_000);
    test.duty.flush();
    const client = test.client('none');
    client.socket.shut();
    const replayed = client.send('subscribe', { symbols: 'A', resume: { epoch: EPOCH, seq: 0 } });
    for (let i = 0; i < 3; i++) {
      for (let n = 0; n < 20; n++) test.publish('A', 3_000);
      test.duty.flush();
      client.socket.passOne();
      await letTurnsPass();
    }
    expect(client.connection.delivery.lane).toBe('replaying');
    client.socket.open();
    await test.settle();
    expect(client.replyTo(replayed)!.payload).toMatchObject({ resumed: true, replayed: 63 });
    expect(client.connection.delivery.lane).toBe('live');
    expect(client.data()).toHaveLength(123);
    expect(test.problemsOf(client)).toEqual([]);
  });
});

describe('commands while a replay is on its way', () => {
  /** A client whose replay cannot go on. */
  function replaying(test: TestShard): ShardClient {
    for (let i = 0; i < 60; i++) test.publish('A', 3_000);
    test.duty.flush();
    const client = test.client('none');
    client.socket.shut();
    client.send('subscribe', { symbols: 'A', resume: { epoch: EPOCH, seq: 0 } });
    expect(client.connection.delivery.lane).toBe('replaying');
    return client;
  }

  it('that change its filters wait for it to end, and are done in their order', async () => {
    const test = published();
    const client = replaying(test);
    const { connection } = client;
    const symbols = () => [...connection.filters.values()].map(({ filter }) => filter.symbols);
    client.send('subscribe', { symbols: 'B' });
    client.send('unsubscribe', { filterId: [...connection.filters.keys()][0] });
    client.send('subscribe', { symbols: 'C', snapshot: true });
    client.send('unsubscribe', {});
    client.send('subscribe', { symbols: 'T' });
    expect(symbols()).toEqual(['A']);
    test.publish('B');
    client.socket.open();
    await test.settle();
    expect(symbols()).toEqual(['T']);
    const types = client.received.filter(({ seq }) => seq === undefined).map(({ type }) => type);
    expect(types).toEqual(['subscribed', 'subscribed', 'unsubscribed', 'subscribed', 'unsubscribed', 'subscribed']);
    expect(client.received.slice(1, 64).every(({ seq }) => seq !== undefined)).toBe(true);
    expect(client.data('B')).toEqual([]);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('that only ask are answered at once', async () => {
    const test = published();
    const client = replaying(test);
    const ids = ['ping', 'getSubscriptions', 'getLedger', 'requestSnapshot'].map((type) => client.send(type));
    const channel = client.send('subscribe', { channel: 'news' });
    const late = client.send('subscribe', { symbols: 'B' });
    client.socket.open();
    await test.settle();
    const places = [...ids, channel, late].map((id) => client.received.findIndex((each) => each.id === id));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    const replayEnds = client.received.findLastIndex(({ seq }) => seq !== undefined);
    expect(places.at(-2)).toBeLessThan(replayEnds);
    expect(places.at(-1)).toBeGreaterThan(replayEnds);
    expect(client.replyTo(ids[2]!)!.payload).toMatchObject({ state: 'replaying', published: 63 });
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('that resume something else wait, and replay it then', async () => {
    const test = published();
    const client = replaying(test);
    const second = client.send('subscribe', { symbols: 'B', resume: { epoch: EPOCH, seq: 0 } });
    const third = client.send('subscribe', { symbols: 'T', resume: { epoch: EPOCH, seq: 0 } });
    expect(client.replyTo(second)).toBeUndefined();
    client.socket.open();
    await test.settle();
    expect(client.replyTo(second)!.payload).toMatchObject({ resumed: true, replayed: 2 });
    expect(client.replyTo(third)!.payload).toMatchObject({ resumed: true, replayed: 3 });
    expect([client.seqs('B'), client.seqs('T')]).toEqual([
      [2, 4],
      [6, 7, 8],
    ]);
    expect(client.ask('getLedger')).toMatchObject({ state: 'live', published: 68, delivered: 68, pending: 0 });
  });

  it('are forgotten with their connection', async () => {
    const test = published();
    const client = replaying(test);
    client.send('subscribe', { symbols: 'B' });
    test.close(client.connection, 'clientClosed');
    client.socket.open();
    await test.settle();
    expect([test.statistics.get('filtersInForce'), test.subscriptions.cohortCount]).toEqual([0, 0]);
    expect(client.connection.filters.size).toBe(0);
  });

  it('may be a thousand; with more the client is let go', () => {
    const test = published();
    const client = replaying(test);
    for (let i = 0; i < 1_000; i++) client.send('unsubscribe', { filterId: 'none' });
    expect(test.closes).toEqual([]);
    client.send('unsubscribe', { filterId: 'none' });
    expect(test.closes).toEqual(['slowConsumer']);
  });
});

describe('unsubscribe', () => {
  /** A client that is behind, for which something of A, B, T and D waits. */
  function behind(test: TestShard, filters: Record<string, unknown>[]): ShardClient {
    const client = test.client('none');
    for (const filter of filters) client.ask('subscribe', filter);
    client.socket.shut();
    test.publish('A', 2_000);
    test.duty.flush();
    expect(client.connection.delivery.lane).toBe('behind');
    for (const symbol of ['A', 'B', 'A']) test.publish(symbol);
    for (let price = 4; price <= 6; price++) test.primary.publishAs('ticker', 'T', { price });
    for (let i = 0; i < 2; i++) test.primary.publishAs('depth', 'D', { bids: [[8, i + 1]], asks: [] });
    test.duty.flush();
    return client;
  }

  it('tells a slow client first what it will not get, then replies, and sends nothing of it any more', async () => {
    const test = published();
    const client = behind(test, [{ symbols: ['A', 'T', 'D'] }, { symbols: 'B' }]);
    const [filterId] = [...client.connection.filters.keys()];
    const id = client.send('unsubscribe', { filterId });
    for (const symbol of ['A', 'B']) test.publish(symbol);
    client.socket.open();
    await test.settle();
    const gap = (symbol: string, dataType: string, fromSeq: number, toSeq: number, count: number) => ({
      ...{ exchange: 'binance', symbol, dataType, fromSeq, toSeq, count, reason: 'unsubscribed' },
    });
    expect(client.gaps().toSorted((a, b) => Number(a.toSeq) - Number(b.toSeq))).toEqual([
      gap('A', 'trade', 12, 14, 2),
      gap('T', 'ticker', 15, 17, 3),
      gap('D', 'depth', 18, 19, 2),
    ]);
    expect(inOrder(client)).toEqual(['subscribed', 'subscribed', 11, 'gap', 'gap', 'gap', 'unsubscribed', 13, 21]);
    expect(client.replyTo(id)!.payload).toEqual({ filterId });
    expect(test.problemsOf(client)).toEqual([]);
    expect(client.ask('getLedger')).toMatchObject({
      published: 10,
      delivered: 3,
      merged: 0,
      dropped: { unsubscribed: 7 },
      pending: 0,
    });
  });

  it('of all filters leaves a slow client with nothing', async () => {
    const test = published();
    const client = behind(test, [{ symbols: ['A', 'T'] }, { symbols: ['B', 'D'] }]);
    client.send('unsubscribe');
    for (const symbol of ['A', 'B']) test.publish(symbol);
    client.socket.open();
    await test.settle();
    expect(inOrder(client)).toEqual(['subscribed', 'subscribed', 11, 'gap', 'gap', 'gap', 'gap', 'unsubscribed']);
    expect(client.connection.delivery.lane).toBe('live');
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('of one of two filters that want the same gives nothing up', async () => {
    const test = published();
    const client = behind(test, [{ symbols: 'A' }, { symbols: ['A', 'B'] }]);
    client.send('unsubscribe', { filterId: [...client.connection.filters.keys()][0] });
    client.socket.open();
    await test.settle();
    expect([client.gaps(), client.seqs()]).toEqual([[], [11, 12, 13, 14]]);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('gives a client that keeps up first what has been gathered for it, and nothing of it behind the reply', () => {
    const test = published({ policy: new FixedPolicy(1_000, 50) });
    const client = test.client('none');
    for (const symbols of ['A', 'B']) client.ask('subscribe', { symbols });
    for (const symbol of ['A', 'B']) test.publish(symbol);
    test.duty.turn();
    client.send('unsubscribe', { filterId: [...client.connection.filters.keys()][0] });
    for (const symbol of ['A', 'B']) test.publish(symbol);
    test.duty.flush();
    client.send('unsubscribe');
    test.publish('B');
    test.duty.flush();
    expect(inOrder(client)).toEqual(['subscribed', 'subscribed', 11, 12, 'unsubscribed', 14, 'unsubscribed']);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('is what the first filter is to everything: a slow client is told what it will not get', async () => {
    const test = published();
    const client = test.client();
    client.socket.shut();
    test.publish('A', 2_000);
    test.duty.flush();
    for (const symbol of ['A', 'B', 'C']) test.publish(symbol);
    test.duty.flush();
    client.send('subscribe', { symbols: 'B' });
    for (const symbol of ['A', 'B', 'C']) test.publish(symbol);
    client.socket.open();
    await test.settle();
    expect(inOrder(client)).toEqual([11, 'gap', 'gap', 'subscribed', 13, 16]);
    expect(client.gaps().map(({ symbol, count, reason }) => [symbol, count, reason])).toEqual([
      ['A', 1, 'unsubscribed'],
      ['C', 1, 'unsubscribed'],
    ]);
    expect(test.problemsOf(client)).toEqual([]);
  });
});

describe('getLedger', () => {
  it('is exact behind all that was gathered before it', () => {
    const test = published({ policy: new FixedPolicy(1_000, 50) });
    const client = test.client({ symbols: ['A', 'B'] });
    for (const symbol of ['A', 'B', 'A', 'C']) test.publish(symbol);
    test.duty.turn();
    expect(client.data()).toEqual([]);
    expect(client.ask('getLedger')).toEqual({
      epoch: EPOCH,
      seq: 14,
      state: 'live',
      published: 3,
      delivered: 3,
      merged: 0,
      dropped: {},
      pending: 0,
      snapshots: 0,
      lagMs: 0,
      topics: expect.arrayContaining([
        {
          exchange: 'binance',
          symbol: 'A',
          dataType: 'trade',
          published: 2,
          delivered: 2,
          merged: 0,
          dropped: {},
          pending: 0,
        },
        {
          exchange: 'binance',
          symbol: 'B',
          dataType: 'trade',
          published: 1,
          delivered: 1,
          merged: 0,
          dropped: {},
          pending: 0,
        },
      ]),
    });
    expect(client.seqs()).toEqual([11, 12, 13]);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('tells a slow client what waits for it, and how long the oldest of that has waited', async () => {
    const test = published({ config: { limits: { pendingMessages: 2 } } });
    const client = test.client();
    client.socket.shut();
    test.publish('A', 2_000);
    test.duty.flush();
    for (const symbol of ['A', 'A', 'A']) test.publish(symbol);
    test.duty.flush();
    vi.advanceTimersByTime(500);
    const id = client.send('getLedger');
    client.socket.open();
    await test.settle();
    expect(client.replyTo(id)!.payload).toMatchObject({
      ...{ state: 'behind', published: 4, delivered: 1, dropped: {}, pending: 3, lagMs: 500 },
    });
    expect(client.ask('getLedger')).toMatchObject({
      ...{ state: 'live', published: 4, delivered: 3, dropped: { slow_consumer: 1 }, pending: 0, lagMs: 0 },
    });
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('tells what was merged, and what it stands for', async () => {
    const test = published();
    const client = test.client();
    client.socket.shut();
    test.publish('A', 2_000);
    test.duty.flush();
    for (let price = 4; price <= 6; price++) test.primary.publishAs('ticker', 'T', { price });
    test.duty.flush();
    client.socket.open();
    await test.settle();
    expect(client.ask('getLedger')).toMatchObject({ published: 4, delivered: 2, merged: 2, dropped: {}, pending: 0 });
    expect(test.statistics.get('messagesForwarded')).toBe(2);
  });

  it('is empty for a connection that has asked for nothing, and for topics of which nothing was published', () => {
    const test = published();
    expect(test.client('none').ask('getLedger')).toMatchObject({ published: 0, topics: [] });
    expect(test.client({ symbols: 'A' }).ask('getLedger')).toMatchObject({ seq: 10, published: 0, topics: [] });
  });

  it('names a thousand topics at most, and counts them all', () => {
    const test = shard({ ringBytes: 4 * 1024 * 1024, topicsMax: 2_000 });
    const client = test.client();
    for (let i = 0; i < 1_500; i++) test.publish(`S${i}`);
    test.duty.flush();
    const ledger = client.ask('getLedger') as { topics: unknown[] };
    expect(ledger).toMatchObject({ published: 1_500, delivered: 1_500, truncated: true });
    expect(ledger.topics).toHaveLength(1_000);
    expect(client.problems).toEqual([]);
  });
});

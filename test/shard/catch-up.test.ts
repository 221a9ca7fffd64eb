import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FixedPolicy } from '../../src/batch/flush-policy.ts';
import { SequenceIndexReader } from '../../src/ring/sequence-index.ts';
import { TopicRestorer } from '../../src/shard/topic-restorer.ts';
import { adaptivePolicy } from '../support/adaptive-policy.ts';
import { holdClock } from '../support/let-turns-pass.ts';
import type { ShardClient } from '../support/shard-client.ts';
import { SMALL_RING_BYTES } from '../support/test-primary.ts';
import { TestShard, type TestShardOptions } from '../support/test-shard.ts';

beforeEach(holdClock);

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A shard that has read the first trade of each symbol. */
function shardWith(symbols: readonly string[], options: TestShardOptions = {}): TestShard {
  const test = new TestShard(options);
  for (const symbol of symbols) test.publish(symbol);
  test.duty.flush();
  return test;
}

/** A client that is behind, having been sent one frame that is more than its socket may hold. */
function slowClient(test: TestShard, ...filter: Parameters<TestShard['client']>): ShardClient {
  const client = test.client(...filter);
  client.socket.shut();
  test.publish('A', 2_000);
  test.duty.flush();
  expect(client.connection.delivery.lane).toBe('behind');
  return client;
}

/**
 * Publications of a topic behind `afterSeq` that a lapped shard does not read, which is all but the newest of all: how many,
 * the first, the last but one and the last.
 */
function lost(test: TestShard, symbol: string, dataType: string, afterSeq: number) {
  const { log, publisher } = test.primary;
  const { seqs } = log.topic({ exchange: 'binance', symbol, dataType })!;
  const [from, to] = [seqs.countUpTo(afterSeq), seqs.countUpTo(publisher.seq - 1)];
  return { count: to - from, first: seqs.at(from), beforeLast: seqs.at(to - 2), last: seqs.at(to - 1) };
}

function gapOf(symbol: string, dataType: string, fromSeq: number, toSeq: number, count: number) {
  return { exchange: 'binance', symbol, dataType, fromSeq, toSeq, count, reason: 'shard_lapped' };
}

const LEVELS = { bids: [[10, 1]], asks: [[11, 1]] };

describe('a shard that has been lapped', () => {
  it('tells by topic how many are lost, the first and the last of them, and goes on with the newest of each', () => {
    const symbols = ['A', 'B', 'C'];
    const test = shardWith(symbols);
    const [all, one] = [test.client(), test.client({ symbols: 'B' })];
    test.overrun(symbols);
    test.duty.turn();
    const { seq } = test.primary.publisher;
    const topics = symbols.map((symbol) => ({ symbol, ...lost(test, symbol, 'trade', 3) }));
    const gaps = topics.map(({ symbol, first, beforeLast, count }) =>
      gapOf(symbol, 'trade', first, beforeLast, count - 1),
    );
    const bySeq = [...topics.map(({ last }) => last), seq].toSorted((a, b) => a - b);
    expect(all.gaps()).toHaveLength(3);
    expect(all.gaps()).toEqual(expect.arrayContaining(gaps));
    expect(all.seqs()).toEqual(bySeq);
    expect([one.gaps(), one.seqs()]).toEqual([[gaps[1]], [topics[1]!.last]]);
    const next = test.publish('A');
    test.duty.turn();
    expect(all.seqs()).toEqual([...bySeq, next]);
    expect(next).toBe(seq + 1);
    expect([all, one].map((client) => test.problemsOf(client))).toEqual([[], []]);
  });

  it('tells of no gap where a topic has published once, which is delivered', () => {
    const test = shardWith(['A']);
    const client = test.client();
    const rare = test.publish('RARE');
    test.overrun(['A']);
    test.duty.turn();
    expect(client.data('RARE')).toMatchObject([{ seq: rare, prevSeq: 0 }]);
    expect(client.gaps().map(({ symbol }) => symbol)).toEqual(['A']);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('leaves topics alone that have not moved since it last read', () => {
    const test = new TestShard();
    test.publish('OLD');
    test.duty.flush();
    for (const symbol of ['A', 'QUIET']) test.publish(symbol);
    test.duty.flush();
    const client = test.client();
    test.overrun(['A']);
    test.duty.turn();
    expect(new Set(client.data().map(({ payload }) => payload.symbol))).toEqual(new Set(['A']));
    expect(client.gaps()).toHaveLength(1);
    expect(test.table.lastSeq(0)).toBe(1);
  });

  it('counts as lost exactly what it has not read, lap after lap', () => {
    const test = shardWith(['A']);
    for (let lap = 1; lap <= 3; lap++) {
      test.overrun(['A', 'B']);
      test.duty.turn();
      for (let i = 0; i < lap; i++) test.publish('A');
      test.duty.turn();
      expect(test.statistics.get('lapped')).toBe(lap);
      expect(test.statistics.get('recordsRead') + test.statistics.get('recordsLost')).toBe(test.primary.publisher.seq);
    }
    // The first, then of each lap the newest and what came after it.
    expect(test.statistics.get('recordsRead')).toBe(1 + 2 + 3 + 4);
  });

  it('does not read ahead what is published while it catches up', () => {
    const test = shardWith(['A', 'B']);
    const client = test.client();
    test.overrun(['A', 'B']);
    test.onLapped = () => ['A', 'B', 'A'].forEach((symbol) => void test.publish(symbol));
    test.duty.turn();
    const { seq } = test.primary.publisher;
    expect(client.seqs().slice(-3)).toEqual([seq - 2, seq - 1, seq]);
    expect(test.problemsOf(client)).toEqual([]);
  });

  // The mechanism: what it has found out of a topic is overwritten before it has read the value.
  it.each([1, 2, 3])('tells everything when it is lapped again %i times while it catches up', (times) => {
    const test = shardWith(['A', 'B', 'RARE']);
    test.primary.publishAs('ticker', 'T');
    test.primary.publishAs('depth', 'D', LEVELS);
    const clients = [test.client(), test.client({ symbols: 'RARE' })];
    let laps = 0;
    const { restore } = TopicRestorer.prototype;
    vi.spyOn(TopicRestorer.prototype, 'restore').mockImplementation(function (this: TopicRestorer) {
      const moved = restore.call(this);
      if (++laps > times) return moved;
      test.publish('RARE');
      test.primary.publishAs('ticker', 'T');
      test.primary.publishAs('depth', 'D', LEVELS);
      test.overrun(['A', 'B']);
      return moved;
    });
    test.overrun(['A', 'B']);
    for (let i = 0; i < 5; i++) test.duty.flush();
    expect(test.statistics.get('lapped')).toBe(times + 1);
    expect(clients.map((client) => test.problemsOf(client))).toEqual([[], []]);
    const dropped = clients[1]!.gaps().reduce((sum, { count }) => sum + Number(count), 0);
    expect(clients[1]!.data('RARE').length + dropped).toBe(times);
  });

  // The mechanism: between where it was to go on and where each topic stood the ring went round once more. What it took for a
  // topic's state was newer than where it went on, or not to be found, and counts and first publications did not fit.
  it.each([1, 3])('finds out anew where everything is when it is run over %i times while it does', (times) => {
    const test = shardWith(['A', 'B', 'RARE']);
    const client = test.client();
    const { newest } = SequenceIndexReader.prototype;
    let looks = 0;
    vi.spyOn(SequenceIndexReader.prototype, 'newest').mockImplementation(function (this: SequenceIndexReader) {
      const seq = newest.call(this);
      if (++looks > times) return seq;
      test.publish('RARE');
      test.overrun(['A', 'B']);
      return seq;
    });
    test.overrun(['A', 'B']);
    for (let i = 0; i < 2; i++) test.duty.flush();
    expect([looks, test.statistics.get('lapped')]).toEqual([times + 1, 1]);
    expect(client.gaps()).toHaveLength(times === 1 ? 2 : 3);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('goes on though the ring holds nothing but the publication that runs over it', () => {
    const test = shardWith(['A']);
    const client = test.client();
    for (let i = 0; i < 20; i++) test.publish('A', SMALL_RING_BYTES / 6);
    test.duty.flush();
    expect(client.seqs().at(-1)).toBe(21);
    expect(test.problemsOf(client)).toEqual([]);
  });

  // The mechanism: that a shard knew nothing of a topic was taken for the topic having published nothing.
  it('tells of topics whose latest value nobody keeps any more, and delivers what they publish next', () => {
    const test = shardWith(['A']);
    const client = test.client();
    // More than the part of the ring that latest values may take.
    const symbols = Array.from({ length: 40 }, (_, i) => `S${i}`);
    for (const symbol of symbols) for (let i = 0; i < 2; i++) test.publish(symbol, 1_500);
    test.overrun(['A']);
    test.duty.turn();
    expect(test.primary.publisher.latestValues.forgotten).toBeGreaterThan(0);
    const told = new Map(client.gaps().map(({ symbol, fromSeq, toSeq, count }) => [symbol, [fromSeq, toSeq, count]]));
    for (const symbol of symbols) {
      const { first, last, count } = lost(test, symbol, 'trade', 1);
      const isDelivered = client.data(symbol).length > 0;
      expect([symbol, ...told.get(symbol)!]).toEqual([
        symbol,
        first,
        isDelivered ? first : last,
        count - (isDelivered ? 1 : 0),
      ]);
    }
    for (const symbol of symbols) test.publish(symbol);
    test.duty.turn();
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('tells how many are lost, and the last of them, further back than the index of publications reaches', () => {
    const test = shardWith(['A', 'B', 'C'], { indexedBytes: SMALL_RING_BYTES });
    const client = test.client();
    test.publish('B');
    for (let i = 0; i < 2_000; i++) test.publish('A');
    test.publish('C');
    test.publish('A');
    test.duty.turn();
    expect(client.gaps()).toEqual([
      // Of B all is known: there was one, which is delivered. Of A only that the first came behind what was read last.
      gapOf('A', 'trade', 4, 2_003, 1_999),
    ]);
    expect(client.seqs('C')).toEqual([2_005]);
    expect(client.problems).toEqual([]);
  });

  it('says so in the log', () => {
    const test = shardWith(['A', 'B']);
    test.publish('B');
    test.overrun(['A']);
    test.duty.turn();
    const read = 2;
    expect(test.logger.lines).toEqual([
      {
        level: 'warn',
        fields: { lapped: 1, lost: test.primary.publisher.seq - read - 1, topics: 2 },
        message: expect.stringContaining('lapped'),
      },
    ]);
  });

  it('sleeps when it is done', () => {
    const test = shardWith(['A']);
    const client = test.client();
    test.overrun(['A']);
    test.duty.turn();
    expect([test.isWaiting, vi.getTimerCount()]).toEqual([true, 0]);
    expect(client.seqs()).toHaveLength(2);
  });
});

describe('what follows on a lap, by policy, for a client that keeps up', () => {
  it('is the newest of a type whose newest stands for all, as of any other', () => {
    const test = shardWith(['A']);
    test.primary.publishAs('ticker', 'T', { price: 0 });
    test.duty.flush();
    const client = test.client();
    for (let price = 1; price <= 5; price++) test.primary.publishAs('ticker', 'T', { price });
    test.overrun(['A']);
    test.duty.turn();
    const { first, beforeLast, last } = lost(test, 'T', 'ticker', 2);
    expect(client.gaps()).toContainEqual(gapOf('T', 'ticker', first, beforeLast, 4));
    expect(client.data('T')).toMatchObject([{ seq: last, prevSeq: beforeLast, payload: { data: { price: 5 } } }]);
    expect(client.data('T')[0]).not.toHaveProperty('merged');
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('is the full book as a snapshot, and then its updates', () => {
    const test = shardWith(['A']);
    test.primary.publishAs('depth', 'B', { ...LEVELS, isSnapshot: true });
    test.duty.flush();
    const client = test.client();
    test.primary.publishAs('depth', 'B', { bids: [[9, 2]], asks: [] });
    test.primary.publishAs('depth', 'B', { bids: [], asks: [[11, 0]] });
    test.overrun(['A']);
    test.duty.turn();
    const { first, last } = lost(test, 'B', 'depth', 2);
    expect(client.gaps()).toContainEqual(gapOf('B', 'depth', first, last, 2));
    expect(client.data('B')).toMatchObject([
      {
        seq: last,
        prevSeq: 0,
        snapshot: true,
        payload: {
          data: {
            bids: [
              [10, 1],
              [9, 2],
            ],
            asks: [],
            isSnapshot: true,
          },
        },
      },
    ]);
    const next = test.primary.publishAs('depth', 'B', { bids: [[8, 1]], asks: [] });
    test.duty.turn();
    expect(client.data('B').at(-1)).toMatchObject({ seq: next, prevSeq: last });
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('is the newest publication under the name of a book that is none', () => {
    const test = shardWith(['A']);
    const client = test.client();
    for (let i = 0; i < 3; i++) test.primary.publishAs('depth', 'B', { text: `${i}` });
    test.overrun(['A']);
    test.duty.turn();
    const { first, beforeLast, last } = lost(test, 'B', 'depth', 1);
    expect(client.gaps()).toContainEqual(gapOf('B', 'depth', first, beforeLast, 2));
    expect(client.data('B')).toMatchObject([{ seq: last, payload: { data: { text: '2' } } }]);
    expect(test.problemsOf(client)).toEqual([]);
  });

  // The newest publication, which the shard goes on with, is an update here, behind which the full book stands. Before that
  // update nobody knows any more where the book begins.
  it('is the gap alone where the full book stands further on, and then that in place of the next update', () => {
    const test = shardWith(['A'], { ringBytes: 1024 * 1024 });
    test.primary.publishAs('depth', 'B', { ...LEVELS, isSnapshot: true });
    test.duty.flush();
    const client = test.client();
    test.overrun(['A']);
    const padding = 'x'.repeat(2_000);
    const base = test.directory.book(1);
    for (let i = 1; test.directory.book(1) === base; i++) {
      test.primary.publishAs('depth', 'B', { bids: [[9, i]], asks: [], padding });
    }
    test.duty.flush();
    const { seq } = test.primary.publisher;
    const { first, last, count } = lost(test, 'B', 'depth', 2);
    expect(client.gaps().slice(-2)).toEqual([
      gapOf('B', 'depth', first, last, count),
      gapOf('B', 'depth', seq, seq, 1),
    ]);
    expect(client.data('B')).toMatchObject([{ seq, prevSeq: 0, snapshot: true }]);
    const next = test.primary.publishAs('depth', 'B', { bids: [[7, 1]], asks: [] });
    test.duty.flush();
    expect(client.data('B').at(-1)).toMatchObject({ seq: next, prevSeq: seq });
    expect(test.problemsOf(client)).toEqual([]);
  });

  // Where the book is not kept, there is nothing but the gap to tell; the next whole book makes up for it.
  it('is nothing where the book is not kept, and the next whole one makes up for that', () => {
    const test = shardWith(['A']);
    const client = test.client();
    const padding = 'x'.repeat(8_000);
    for (const symbol of ['B', 'C', 'D']) {
      for (const data of [
        { ...LEVELS, isSnapshot: true },
        { bids: [[9, 2]], asks: [] },
      ]) {
        test.primary.publishAs('depth', symbol, { ...data, padding });
      }
    }
    test.overrun(['A']);
    test.duty.turn();
    expect(test.primary.publisher.latestValues.forgotten).toBeGreaterThan(0);
    const forgotten = ['B', 'C', 'D'].filter((symbol) => client.data(symbol).length === 0);
    expect(forgotten.length).toBeGreaterThan(0);
    for (const symbol of forgotten) test.primary.publishAs('depth', symbol, { ...LEVELS, isSnapshot: true });
    test.duty.turn();
    for (const symbol of forgotten) {
      expect(client.data(symbol).at(-1)).toMatchObject({ payload: { data: { isSnapshot: true } } });
      expect(client.data(symbol).at(-1)).not.toHaveProperty('snapshot');
    }
    expect(test.problemsOf(client)).toEqual([]);
  });
});

describe('what follows on a lap, by policy, for a client that is behind', () => {
  const options = { highWaterBytes: 1_000 };

  it('is a gap in its place, and the newest of a type that is never merged', async () => {
    const test = shardWith(['A', 'B'], options);
    const client = slowClient(test);
    test.publish('B');
    test.duty.turn();
    const read = test.table.seq;
    test.overrun(['A', 'B']);
    test.duty.turn();
    client.socket.open();
    await test.settle();
    const { first, beforeLast, last, count } = lost(test, 'B', 'trade', read);
    expect(client.gaps()).toContainEqual(gapOf('B', 'trade', first, beforeLast, count - 1));
    expect(client.seqs('B')).toEqual([read, last]);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('is the newest of a type whose newest stands for all, with all the others merged into it', async () => {
    const test = shardWith(['A'], options);
    test.primary.publishAs('ticker', 'T', { price: 0 });
    const client = slowClient(test);
    for (let price = 1; price <= 2; price++) test.primary.publishAs('ticker', 'T', { price });
    test.duty.turn();
    for (let price = 3; price <= 5; price++) test.primary.publishAs('ticker', 'T', { price });
    test.overrun(['A']);
    test.duty.turn();
    client.socket.open();
    await test.settle();
    const { last } = lost(test, 'T', 'ticker', 0);
    expect(client.gaps().map(({ symbol }) => symbol)).toEqual(['A']);
    // The first of them was written before it fell behind.
    expect(client.data('T').slice(1)).toMatchObject([{ seq: last, merged: 4, payload: { data: { price: 5 } } }]);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('is a gap, and the full book', async () => {
    const test = shardWith(['A'], options);
    test.primary.publishAs('depth', 'B', { ...LEVELS, isSnapshot: true });
    const client = slowClient(test);
    test.primary.publishAs('depth', 'B', { bids: [[9, 2]], asks: [] });
    test.overrun(['A']);
    test.duty.turn();
    client.socket.open();
    await test.settle();
    const { first, last } = lost(test, 'B', 'depth', 3);
    expect(client.gaps()).toContainEqual(gapOf('B', 'depth', first, last, 1));
    expect(client.data('B').at(-1)!.payload.data).toMatchObject({
      bids: [
        [10, 1],
        [9, 2],
      ],
      isSnapshot: true,
    });
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('is all of it once, for those too who fall behind by what they are told of the lap', async () => {
    const test = shardWith(['A', 'B', 'C'], { ...options, policy: new FixedPolicy(1, 20) });
    for (const symbol of ['T', 'U']) test.primary.publishAs('ticker', symbol);
    test.primary.publishAs('depth', 'D', { ...LEVELS, isSnapshot: true });
    test.duty.flush();
    const clients = [test.client(), test.client(), test.client({ symbols: ['T', 'U', 'D', 'A'] })];
    const before = slowClient(test);
    for (let i = 0; i < 5; i++) {
      for (const symbol of ['T', 'U']) test.primary.publishAs('ticker', symbol);
      test.primary.publishAs('depth', 'D', { bids: [[9, i + 1]], asks: [] });
    }
    test.overrun(['A', 'B', 'C']);
    for (const { socket } of clients) socket.shut();
    test.duty.turn();
    expect(clients.map(({ connection }) => connection.delivery.lane)).toEqual(['behind', 'behind', 'behind']);
    for (const { socket } of [...clients, before]) socket.open();
    await test.settle();
    expect([...clients, before].map((client) => test.problemsOf(client))).toEqual([[], [], [], []]);
    for (const client of clients) expect(client.data('D').at(-1)!.payload.data).toMatchObject({ isSnapshot: true });
  });

  it('is all of it once when it is lapped twice before it takes anything', async () => {
    const test = shardWith(['A', 'B'], options);
    test.primary.publishAs('ticker', 'T');
    test.primary.publishAs('depth', 'T', { ...LEVELS, isSnapshot: true });
    const client = slowClient(test);
    for (let lap = 0; lap < 2; lap++) {
      for (let i = 0; i < 3; i++) {
        test.primary.publishAs('ticker', 'T');
        test.primary.publishAs('depth', 'T', LEVELS);
      }
      test.overrun(['A', 'B']);
      test.duty.turn();
    }
    expect(test.statistics.get('lapped')).toBe(2);
    client.socket.open();
    await test.settle();
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('is counted once by the statistics, whoever was told what', async () => {
    const test = shardWith(['A'], options);
    const [fast, slow] = [test.client(), slowClient(test)];
    const read = test.table.seq;
    test.overrun(['A']);
    test.duty.turn();
    slow.socket.open();
    await test.settle();
    const { count } = lost(test, 'A', 'trade', read);
    for (const client of [fast, slow]) {
      expect(client.connection.account.droppedTotal).toBe(count - 1);
      expect(test.problemsOf(client)).toEqual([]);
    }
    expect(test.statistics.get('gapsSent')).toBe(2);
    expect(fast.gaps()).toEqual(slow.gaps());
  });
});

describe('a shard that is started on a ring that others have filled', () => {
  it('knows the latest value of every topic before it has read anything, and delivers none of it', () => {
    const { primary, ...old } = new TestShard();
    for (const symbol of ['A', 'B', 'RARE']) primary.publish(symbol);
    for (let i = 0; i < 3; i++) primary.publishAs('ticker', 'T', { price: i });
    primary.publishAs('depth', 'D', { ...LEVELS, isSnapshot: true });
    primary.publishAs('depth', 'D', { bids: [[9, 2]], asks: [] });
    primary.overrun(['A', 'B']);
    old.duty.stop();
    const test = new TestShard({ primary });
    const client = test.client('none');
    const { data } = client.ask('requestSnapshot') as { data: { symbol: string; data: Record<string, unknown> }[] };
    const values = new Map(data.map((value) => [value.symbol, value.data]));
    expect([...values.keys()].toSorted()).toEqual(['A', 'B', 'D', 'RARE', 'T']);
    expect(values.get('RARE')).toMatchObject({ n: 3 });
    expect(values.get('T')).toMatchObject({ price: 2, n: 6 });
    expect(values.get('D')).toMatchObject({
      bids: [
        [10, 1],
        [9, 2],
      ],
      asks: [[11, 1]],
      isSnapshot: true,
    });
    expect([test.statistics.get('recordsRead'), test.statistics.get('lapped'), client.data()]).toEqual([0, 0, []]);
  });

  it('goes on with the newest publication, and numbers each topic as it was', () => {
    const first = new TestShard();
    const { primary } = first;
    primary.overrun(['A', 'B']);
    const test = new TestShard({ primary });
    expect(test.table.seq).toBe(primary.publisher.seq - 1);
    const client = test.client();
    for (const symbol of ['A', 'B', 'C']) primary.publish(symbol);
    test.duty.flush();
    const { seq } = primary.publisher;
    expect(client.seqs()).toEqual([seq - 3, seq - 2, seq - 1, seq]);
    first.duty.flush();
    for (const topic of [0, 1, 2]) {
      expect(test.table.ordinal(topic)).toBe(first.table.ordinal(topic));
      expect(test.table.lastSeq(topic)).toBe(first.table.lastSeq(topic));
    }
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('has snapshots for its first client, and everything behind them', async () => {
    const { primary } = new TestShard();
    for (const symbol of ['A', 'B']) primary.publish(symbol);
    primary.publishAs('depth', 'D', { ...LEVELS, isSnapshot: true });
    primary.publishAs('depth', 'D', { bids: [[9, 2]], asks: [] });
    const test = new TestShard({ primary });
    const client = test.client('none');
    expect(client.ask('subscribe', { snapshot: true })).toMatchObject({ seq: 3, snapshot: { topics: 3, missing: 0 } });
    await test.settle();
    expect(client.data().map(({ seq, snapshot }) => [seq, snapshot])).toEqual([
      [1, true],
      [2, true],
      [3, true],
      [4, undefined],
    ]);
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('knows of topics whose latest value is not kept how many publications they have had', () => {
    const { primary } = new TestShard();
    for (let i = 0; i < 40; i++) for (let n = 0; n <= i % 3; n++) primary.publish(`S${i}`, 1_500);
    primary.overrun(['A']);
    expect(primary.publisher.latestValues.forgotten).toBeGreaterThan(0);
    const test = new TestShard({ primary });
    for (let topic = 0; topic < 40; topic++)
      expect([topic, test.table.ordinal(topic)]).toEqual([topic, 1 + (topic % 3)]);
    const client = test.client();
    for (let i = 0; i < 40; i++) test.publish(`S${i}`);
    test.duty.flush();
    expect(test.problemsOf(client)).toEqual([]);
  });

  it('begins with nothing on a ring that is empty', () => {
    const test = new TestShard({ primary: new TestShard().primary });
    expect([test.table.seq, test.receiver.position]).toEqual([0, 0]);
    const client = test.client();
    test.publish('A');
    test.duty.turn();
    expect(client.seqs()).toEqual([1]);
  });
});

describe('a shard that reads now and then', () => {
  const SYMBOLS = ['A', 'B', 'C', 'D', 'E'];
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('publish' as const),
        symbol: fc.constantFrom(...SYMBOLS),
        times: fc.constantFrom(1, 1, 5, 40),
        padding: fc.constantFrom(0, 100, 2_000, 8_000),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('turn' as const, 'timers', 'flush') }) },
  );

  it.each([
    ['adaptive', () => adaptivePolicy(100, 10)],
    ['fixed', () => new FixedPolicy(10, 20)],
  ] as const)(
    'tells every publication of every topic, in order, nothing twice, and everything is counted: %s',
    (_name, policy) => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }), (steps) => {
          const test = new TestShard({ policy: policy() });
          const [all, one] = [test.client(), test.client({ symbols: ['A', 'E'] })];
          const newest = new Map<string, number>();
          for (const symbol of SYMBOLS) newest.set(symbol, test.publish(symbol));
          test.duty.flush();
          for (const next of steps) {
            if (next.do === 'publish') {
              for (let i = 0; i < next.times; i++) newest.set(next.symbol, test.publish(next.symbol, next.padding));
            } else if (next.do === 'turn') test.duty.turn();
            else if (next.do === 'timers') vi.runAllTimers();
            else test.duty.flush();
          }
          // One more record, once it has caught up, shows how many were lost before it.
          test.duty.flush();
          test.publish('A');
          test.duty.flush();
          expect([test.problemsOf(all), test.problemsOf(one)]).toEqual([[], []]);
          const { statistics } = test;
          expect(statistics.get('recordsRead') + statistics.get('recordsLost')).toBe(test.primary.publisher.seq);
          expect(statistics.get('messagesForwarded')).toBe(all.seqs().length + one.seqs().length);
          if (statistics.get('lapped') === 0) expect(all.seqs()).toHaveLength(test.primary.publisher.seq);
          test.duty.stop();
        }),
        { numRuns: 150 },
      );
    },
  );
});

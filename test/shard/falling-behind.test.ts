import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FixedPolicy } from '../../src/batch/flush-policy.ts';
import { adaptivePolicy } from '../support/adaptive-policy.ts';
import { holdClock, letTurnsPass } from '../support/let-turns-pass.ts';
import type { ShardClient } from '../support/shard-client.ts';
import { TestShard, type TestShardOptions } from '../support/test-shard.ts';

const HIGH_WATER_BYTES = 1_000;
const LONG = 2 * HIGH_WATER_BYTES;

beforeEach(holdClock);

afterEach(() => {
  vi.useRealTimers();
});

function shard(options: TestShardOptions = {}): TestShard {
  return new TestShard({ ringBytes: 1024 * 1024, highWaterBytes: HIGH_WATER_BYTES, ...options });
}

function lanes(...clients: ShardClient[]): string[] {
  return clients.map(({ connection }) => connection.delivery.lane);
}

/** The clients' sockets take nothing more, and more than they may hold is written to them. */
function stall(test: TestShard, ...clients: ShardClient[]): void {
  for (const { socket } of clients) socket.shut();
  test.publish('A', LONG);
  test.duty.flush();
  expect(new Set(lanes(...clients))).toEqual(new Set(['behind']));
}

const POLICIES = [
  ['fixed', () => new FixedPolicy(1_000, 50)],
  ['fixed, one message a batch', () => new FixedPolicy(1, 50)],
  ['adaptive', () => adaptivePolicy(1_000, 10)],
] as const;

describe.each(POLICIES)('a connection that falls behind and rejoins, where batches are %s', (_name, policy) => {
  it('gets each publication once, from its backlog or from the batch that was open when it came back', async () => {
    const test = shard({ policy: policy() });
    const [slow, fast] = [test.client(), test.client()];
    stall(test, slow);
    // Gathered for the one, noted for the other.
    for (let i = 0; i < 3; i++) test.publish('A');
    test.duty.turn();
    slow.socket.open();
    await letTurnsPass();
    expect(lanes(slow, fast)).toEqual(['live', 'live']);
    expect(slow.seqs()).toEqual([1, 2, 3, 4]);
    for (let i = 0; i < 3; i++) test.publish('A');
    test.duty.turn();
    vi.advanceTimersByTime(50);
    for (const client of [slow, fast]) expect(client.seqs()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect([test.problemsOf(slow), test.problemsOf(fast)]).toEqual([[], []]);
  });

  it('gets each publication once, time after time, and is counted alike on its way out and in', async () => {
    const test = shard({ policy: policy() });
    const [slow, fast, other] = [test.client(), test.client(), test.client({ symbols: 'A' })];
    for (let round = 0; round < 10; round++) {
      stall(test, slow);
      for (let i = 0; i <= round; i++) {
        test.publish(i % 2 === 0 ? 'A' : 'B');
        test.duty.turn();
      }
      slow.socket.open();
      await letTurnsPass();
      test.publish('B');
      test.duty.turn();
    }
    await test.settle();
    expect(slow.data()).toEqual(fast.data());
    expect([slow, fast, other].map((client) => test.problemsOf(client))).toEqual([[], [], []]);
    const { statistics } = test;
    expect([statistics.get('fellBehind'), statistics.get('caughtUp')]).toEqual([10, 10]);
    expect(statistics.get('messagesForwarded')).toBe(2 * fast.data().length + other.data().length);
  });

  it('stays behind while there is more than its socket takes, and takes it in its order', async () => {
    const test = shard({ policy: policy() });
    const [slow, fast] = [test.client(), test.client()];
    stall(test, slow);
    for (let i = 0; i < 100; i++) test.publish('A', LONG);
    await test.settle();
    for (let i = 0; lanes(slow)[0] === 'behind'; i++) {
      slow.socket.passOne();
      await letTurnsPass();
      if (i % 2 === 0) test.publish('A', LONG);
      test.duty.flush();
      expect(i).toBeLessThan(100);
    }
    slow.socket.open();
    await test.settle();
    expect(slow.seqs()).toEqual(fast.seqs());
    expect([test.problemsOf(slow), test.problemsOf(fast)]).toEqual([[], []]);
  });
});

describe('a connection that falls behind while its cohort is written out', () => {
  it.each([[[0]], [[4]], [[1, 2]], [[0, 2, 4]], [[0, 1, 2, 3, 4]]])(
    'disturbs none of the others, whatever their places: %j of five',
    async (places) => {
      const test = shard({ policy: new FixedPolicy(1_000, 50) });
      const clients = Array.from({ length: 5 }, () => test.client());
      const slow = places.map((place) => clients[place]!);
      for (const { socket } of slow) socket.shut();
      test.publish('A', LONG);
      test.publish('B');
      test.duty.flush();
      expect(clients.filter((client) => lanes(client)[0] === 'behind')).toEqual(slow);
      test.publish('A');
      test.duty.flush();
      for (const client of clients) expect(client.seqs()).toEqual(slow.includes(client) ? [] : [1, 2, 3]);
      for (const { socket } of slow) socket.open();
      await test.settle();
      for (const client of clients) expect(client.seqs()).toEqual([1, 2, 3]);
      expect(clients.flatMap((client) => test.problemsOf(client))).toEqual([]);
    },
  );

  it('falls behind by a reply that settles it as well, and gets the rest behind that', async () => {
    const test = shard({ policy: new FixedPolicy(1_000, 50) });
    const [slow, fast] = [test.client({ symbols: 'A' }), test.client({ symbols: 'A' })];
    slow.socket.shut();
    test.publish('A', LONG);
    test.duty.turn();
    slow.send('getLedger');
    slow.send('subscribe', { symbols: 'B' });
    expect(lanes(slow, fast)).toEqual(['behind', 'live']);
    for (const symbol of ['A', 'B']) test.publish(symbol);
    slow.socket.open();
    await test.settle();
    expect(slow.received.map(({ type, seq }) => seq ?? type)).toEqual(['subscribed', 1, 'ledger', 'subscribed', 2, 3]);
    expect([test.problemsOf(slow), test.problemsOf(fast)]).toEqual([[], []]);
  });
});

describe('a connection that stays behind', () => {
  it('is closed once the oldest that waits for it has waited for too long, and not before', () => {
    const test = shard({ config: { slow: { maxLagMs: 5_000 } } });
    const [slow, idle] = [test.client(), test.client({ symbols: 'A' })];
    stall(test, slow, idle);
    vi.advanceTimersByTime(60_000);
    test.delivery.sweep();
    // Nothing waits for either of them but what their sockets hold; then something for one.
    expect(test.closes).toEqual([]);
    test.publish('B');
    test.duty.flush();
    vi.advanceTimersByTime(5_000);
    test.delivery.sweep();
    expect(test.closes).toEqual([]);
    vi.advanceTimersByTime(1);
    test.delivery.sweep();
    expect(test.closes).toEqual(['slowConsumer']);
    expect([slow.connection.state, idle.connection.state]).toEqual(['closing', 'open']);
    expect([...test.delivery.behind]).toEqual([idle.connection]);
    expect(slow.connection.cohort).toBeUndefined();
  });

  it('is never closed for that where there is no limit', () => {
    const test = shard({ config: { slow: { maxLagMs: 0 } } });
    const slow = test.client();
    stall(test, slow);
    test.publish('A');
    test.duty.flush();
    vi.advanceTimersByTime(3_600_000);
    test.delivery.sweep();
    expect(test.closes).toEqual([]);
  });

  it('shows in the figures of its shard, until it has caught up', async () => {
    const test = shard();
    const slow = test.client();
    stall(test, slow);
    for (let i = 0; i < 3; i++) test.publish('A');
    test.duty.flush();
    vi.advanceTimersByTime(700);
    test.delivery.sweep();
    const figures = () =>
      (['connectionsBehind', 'pendingMessages', 'lagMsMax'] as const).map((name) => test.statistics.get(name));
    expect(figures()).toEqual([1, 3, 700]);
    expect(slow.connection.row(0)).toMatchObject({ lane: 'behind', lagMs: 700, pendingMessages: 3 });
    slow.socket.open();
    await test.settle();
    test.delivery.sweep();
    expect(figures()).toEqual([0, 0, 0]);
    expect(slow.connection.row(0)).toMatchObject({ lane: 'live', lagMs: 0, pendingMessages: 0 });
  });

  it('costs nobody anything when it goes', async () => {
    const test = shard();
    const [slow, fast] = [test.client(), test.client()];
    stall(test, slow);
    test.publish('A');
    test.duty.flush();
    test.close(slow.connection, 'clientClosed');
    test.publish('A');
    slow.socket.open();
    await test.settle();
    expect([slow.seqs(), fast.seqs()]).toEqual([[1], [1, 2, 3]]);
    expect([test.delivery.behind.size, test.subscriptions.cohortCount]).toEqual([0, 1]);
  });
});

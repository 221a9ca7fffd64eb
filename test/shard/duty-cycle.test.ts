import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FixedPolicy } from '../../src/batch/flush-policy.ts';
import { adaptivePolicy } from '../support/adaptive-policy.ts';
import { withAtomicsHooks } from '../support/atomics-steps.ts';
import { TestShard } from '../support/test-shard.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A policy that has seen passes so long that it waits as long as it may. */
function loadedPolicy(delayMsMax: number) {
  const policy = adaptivePolicy(100_000, delayMsMax);
  for (let i = 0; i < 50; i++) policy.passed(performance.now(), 7, 1);
  return policy;
}

function sequence(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

describe('DutyCycle', () => {
  it('delivers what is published to those who want it, in order, with one write a pass', () => {
    const test = new TestShard();
    const [all, some] = [test.client(), test.client({ symbols: 'B' })];
    for (const symbol of ['A', 'B', 'A', 'B', 'C']) test.publish(symbol);
    test.duty.turn();
    expect([all.seqs(), some.seqs()]).toEqual([
      [1, 2, 3, 4, 5],
      [2, 4],
    ]);
    expect([all.writes, some.writes]).toEqual([1, 1]);
    test.publish('B');
    test.duty.turn();
    expect([all.seqs(), some.seqs()]).toEqual([
      [1, 2, 3, 4, 5, 6],
      [2, 4, 6],
    ]);
  });

  it('says in the statistics what it has read, matched and looked up, and where it stands', () => {
    const test = new TestShard();
    test.client({ symbols: 'B' });
    for (const symbol of ['A', 'B', 'A', 'B', 'B']) test.publish(symbol);
    test.duty.turn();
    const { statistics } = test;
    expect([statistics.get('recordsRead'), statistics.get('recordsMatched')]).toEqual([5, 3]);
    expect([statistics.get('recordsLost'), statistics.get('lapped')]).toEqual([0, 0]);
    expect(statistics.get('matchOperations')).toBe(2);
    expect(statistics.get('ringPosition')).toBe(test.receiver.tail);
    test.publish('A');
    test.duty.turn();
    expect(statistics.get('matchOperations')).toBe(2);
  });

  // The mechanism: the time was made of the thread's start and the steady clock, which do not follow the wall clock.
  it('shows on the wall clock that it turns, also after a step of that', () => {
    const test = new TestShard();
    vi.setSystemTime(Date.now() + 3_600_000);
    test.duty.turn();
    expect(test.statistics.get('heartbeatMs')).toBe(Date.now());
  });

  it('knows of each topic how far it has read', () => {
    const test = new TestShard();
    for (const symbol of ['A', 'B', 'A']) test.publish(symbol);
    expect([test.table.seq, test.table.lastSeq(0)]).toEqual([0, 0]);
    test.duty.turn();
    expect(test.table.seq).toBe(3);
    expect([0, 1, 2].map((topic) => test.table.lastSeq(topic))).toEqual([3, 2, 0]);
    expect([0, 1, 2].map((topic) => test.table.ordinal(topic))).toEqual([2, 1, 0]);
  });

  // A latest value that was written once more is no publication.
  it('delivers and counts nothing but publications, wherever latest values were moved to', () => {
    const test = new TestShard();
    const [all, rare] = [test.client(), test.client({ symbols: 'RARE' })];
    const seqs = [test.publish('RARE')];
    for (let i = 0; i < 300; i++) {
      seqs.push(test.publish('A', 500));
      test.duty.turn();
    }
    expect(test.primary.publisher.latestValues.carried).toBeGreaterThan(0);
    expect([all.seqs(), rare.seqs()]).toEqual([seqs, [1]]);
    expect(test.statistics.get('recordsRead')).toBe(301);
    expect([test.table.lastSeq(0), test.table.ordinal(0)]).toEqual([1, 1]);
    expect(test.statistics.get('lapped')).toBe(0);
  });

  it('reads to where the ring ended when it was asked, and writes nothing yet', () => {
    const test = new TestShard();
    const client = test.client();
    for (let i = 0; i < 5; i++) test.publish('A');
    test.duty.drain();
    expect([test.table.seq, client.writes]).toEqual([5, 0]);
    test.duty.flush();
    expect([client.seqs(), client.writes]).toEqual([[1, 2, 3, 4, 5], 1]);
  });
});

describe('the sleep of DutyCycle', () => {
  it('begins with the flag up once the ring is drained, without a timer, and ends with one message for a burst', () => {
    const test = new TestShard();
    test.client();
    expect(test.isWaiting).toBe(false);
    test.duty.turn();
    expect([test.isWaiting, vi.getTimerCount()]).toEqual([true, 0]);
    for (let i = 0; i < 10; i++) test.publish('A');
    expect([test.primary.wakes, test.isWaiting]).toEqual([1, false]);
    test.duty.turn();
    expect([test.isWaiting, vi.getTimerCount(), test.statistics.get('recordsRead')]).toEqual([true, 0, 10]);
  });

  it.each(['before', 'after'] as const)('misses nothing that is published right %s its flag goes up', (when) => {
    const test = new TestShard();
    const client = test.client();
    test.duty.turn();
    test.publish('A');
    let isPublished = false;
    const publishOnce = (operation: string) => {
      if (operation === 'store' && !isPublished) {
        isPublished = true;
        test.publish('A');
      }
    };
    withAtomicsHooks({ [when]: publishOnce }, () => test.duty.turn());
    expect(isPublished).toBe(true);
    // Either a message is on its way, or the shard has seen by itself that there is more.
    if (test.primary.wakes > 1) test.duty.turn();
    vi.runAllTimers();
    expect(client.seqs()).toEqual([1, 2]);
    expect([test.isWaiting, test.receiver.drained]).toEqual([true, true]);
  });

  it('gives way to others after a while though the ring holds more, and goes on in order', () => {
    const test = new TestShard({ ringBytes: 4 * 1024 * 1024 });
    const client = test.client();
    for (let i = 0; i < 1_000; i++) test.publish('A', 1_000);
    // Each look at the clock costs more than a pass may take.
    let nowMs = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 20));
    test.duty.turn();
    const first = test.statistics.get('recordsRead');
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(1_000);
    expect(test.isWaiting).toBe(false);
    for (let i = 0; i < 100 && test.statistics.get('recordsRead') < 1_000; i++) vi.advanceTimersByTime(10);
    test.duty.flush();
    expect(client.seqs()).toEqual(sequence(1, 1_000));
  });

  it('ends for good when it is stopped', () => {
    const test = new TestShard({ policy: new FixedPolicy(1_000, 50) });
    const client = test.client();
    test.publish('A');
    test.duty.turn();
    expect(vi.getTimerCount()).toBe(1);
    test.duty.stop();
    expect([vi.getTimerCount(), test.isWaiting]).toEqual([0, false]);
    test.publish('A');
    test.duty.turn();
    vi.runAllTimers();
    expect([client.seqs(), test.primary.wakes]).toEqual([[], 0]);
  });
});

describe('DutyCycle in adaptive mode', () => {
  it('leaves publications in the ring while it gathers, and writes them all at once when its time has come', () => {
    const test = new TestShard({ policy: loadedPolicy(10) });
    const client = test.client();
    for (let i = 0; i < 5; i++) {
      test.publish('A');
      test.duty.turn();
      vi.advanceTimersByTime(1);
    }
    expect([test.statistics.get('recordsRead'), client.seqs()]).toEqual([0, []]);
    vi.advanceTimersByTime(10);
    expect(client.seqs()).toEqual([1, 2, 3, 4, 5]);
    expect(client.writes).toBe(1);
  });

  it('waits again after each pass, for no longer than the longest delay', () => {
    const test = new TestShard({ policy: loadedPolicy(10) });
    const client = test.client();
    const pauses: number[] = [];
    test.publish('A');
    test.duty.turn();
    for (let i = 0; i < 3; i++) {
      const fromMs = performance.now();
      while (client.seqs().length === i && performance.now() - fromMs < 1_000) vi.advanceTimersByTime(1);
      pauses.push(performance.now() - fromMs);
      test.publish('A');
      test.duty.turn();
    }
    for (const pauseMs of pauses) {
      expect(pauseMs).toBeGreaterThan(5);
      expect(pauseMs).toBeLessThanOrEqual(10);
    }
  });

  // The mechanism: it slept with a timer of a millisecond, though what had come was due.
  it('goes on at once with what has come, while it wrote, for those that it had served already', () => {
    const test = new TestShard();
    const clients = Array.from({ length: 200 }, () => test.client());
    let isPublished = false;
    for (const { socket } of clients) {
      const write = socket._write.bind(socket);
      socket._write = (bytes, encoding, done) => {
        if (!isPublished) test.publish('A');
        isPublished = true;
        write(bytes, encoding, done);
      };
    }
    test.publish('A');
    const sleeping = vi.spyOn(globalThis, 'setTimeout');
    test.duty.turn();
    const served = () => clients.filter((client) => client.seqs().length === 2).length;
    expect(served()).toBeGreaterThan(0);
    expect(served()).toBeLessThan(clients.length);
    vi.advanceTimersByTime(0);
    expect(served()).toBe(clients.length);
    expect(sleeping).not.toHaveBeenCalled();
  });

  it('does not wait while passes are short', () => {
    const test = new TestShard();
    const client = test.client();
    for (let i = 1; i <= 20; i++) {
      test.publish('A');
      test.duty.turn();
      expect(client.seqs()).toEqual(sequence(1, i));
    }
  });
});

describe('DutyCycle in fixed mode', () => {
  it('reads at once and writes when the batch has reached its age', () => {
    const test = new TestShard({ policy: new FixedPolicy(1_000, 50) });
    const client = test.client();
    test.publish('A');
    test.duty.turn();
    expect(test.statistics.get('recordsRead')).toBe(1);
    vi.advanceTimersByTime(30);
    test.publish('A');
    test.duty.turn();
    vi.advanceTimersByTime(19);
    expect([test.statistics.get('recordsRead'), client.seqs()]).toEqual([2, []]);
    vi.advanceTimersByTime(1);
    expect(client.seqs()).toEqual([1, 2]);
    expect(client.writes).toBe(1);
    expect([vi.getTimerCount(), test.isWaiting]).toEqual([0, true]);
  });

  it('can be woken while a batch gathers', () => {
    const test = new TestShard({ policy: new FixedPolicy(1_000, 50) });
    test.client();
    test.publish('A');
    test.duty.turn();
    expect(test.isWaiting).toBe(true);
    test.publish('A');
    expect(test.primary.wakes).toBe(1);
  });

  it('writes before that when the batch has its number of messages', () => {
    const test = new TestShard({ policy: new FixedPolicy(3, 50) });
    const client = test.client();
    for (let i = 0; i < 7; i++) test.publish('A');
    test.duty.turn();
    expect([client.seqs(), client.writes]).toEqual([[1, 2, 3, 4, 5, 6], 2]);
    vi.advanceTimersByTime(50);
    expect(client.seqs()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('lets each cohort have its own age', () => {
    const test = new TestShard({ policy: new FixedPolicy(1_000, 50) });
    const [a, b] = [test.client({ symbols: 'A' }), test.client({ symbols: 'B' })];
    test.publish('A');
    test.duty.turn();
    vi.advanceTimersByTime(30);
    test.publish('B');
    test.duty.turn();
    vi.advanceTimersByTime(20);
    expect([a.seqs(), b.seqs()]).toEqual([[1], []]);
    vi.advanceTimersByTime(30);
    expect([a.seqs(), b.seqs()]).toEqual([[1], [2]]);
  });

  it('writes with each pass where the delay is 0', () => {
    const test = new TestShard({ policy: new FixedPolicy(1_000, 0) });
    const client = test.client();
    test.publish('A');
    test.duty.turn();
    expect(client.seqs()).toEqual([1]);
  });
});

describe('DutyCycle.flush', () => {
  it.each([
    ['adaptive', () => loadedPolicy(10)],
    ['fixed', () => new FixedPolicy(1_000, 50)],
  ] as const)('reads and writes at once what has been published, in %s mode', (_name, policy) => {
    const test = new TestShard({ policy: policy() });
    const client = test.client();
    test.publish('A');
    test.duty.turn();
    test.publish('A');
    test.duty.flush();
    expect(client.seqs()).toEqual([1, 2]);
    test.duty.flush();
    expect(client.seqs()).toEqual([1, 2]);
  });

  // The mechanism: it read until there was nothing more, which in a flood never comes.
  it('ends though publications keep coming as fast as they are written', () => {
    const test = new TestShard({ policy: new FixedPolicy(1, 50) });
    const client = test.client();
    let flood = 0;
    const { socket } = client;
    const write = socket._write.bind(socket);
    socket._write = (bytes, encoding, done) => {
      if (flood < 5_000) {
        flood++;
        test.publish('A');
      }
      write(bytes, encoding, done);
    };
    for (let i = 0; i < 10; i++) test.publish('A');
    test.duty.flush();
    expect(client.seqs().slice(0, 10)).toEqual(sequence(1, 10));
    expect(flood).toBeLessThan(1_000);
  });
});

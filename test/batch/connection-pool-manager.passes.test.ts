import { describe, expect, it } from 'vitest';
import { adaptivePolicy } from '../support/adaptive-policy.ts';
import { type PoolClient, TestPool, textsAt } from '../support/test-pool.ts';

const MANY = 200;

function clients(test: TestPool, count: number): PoolClient[] {
  return Array.from({ length: count }, () => test.client('firehose'));
}

/** Lets the pool go on until the pass is over, however often it pauses. */
function finish(test: TestPool): void {
  for (let turn = 0; !test.pool.flush(0); turn++) if (turn > MANY) throw new Error('a pass does not end');
}

describe('a pass over a cohort', () => {
  it('gives those it serves late what has come since it began, and the others that with the next pass', () => {
    const test = new TestPool();
    const all = clients(test, MANY);
    test.publish('A', 'first');
    let pauses = 0;
    test.pool.flush(0, () => {
      if (pauses++ === 0) test.publish('A', 'second');
      return true;
    });
    const inOne = all.filter((client) => textsAt(client).length === 2);
    expect(inOne.length).toBeGreaterThan(0);
    expect(inOne.length).toBeLessThan(MANY);
    for (const client of all) expect(textsAt(client)[0]).toBe('first');
    expect(test.pool.dueInMs(0)).toBeLessThanOrEqual(0);
    test.pool.flush(0);
    for (const client of all) expect(textsAt(client)).toEqual(['first', 'second']);
    expect(test.pool.dueInMs(0)).toBeUndefined();
    for (const { socket } of inOne) expect(socket.pieces).toHaveLength(1);
  });

  it('stops where it is told to pause, and goes on there', () => {
    const test = new TestPool();
    const all = clients(test, MANY);
    test.publish('A', 'text');
    const served: number[] = [];
    while (!test.pool.flush(0, () => false)) {
      expect(test.pool.isPassing).toBe(true);
      served.push(all.filter((client) => textsAt(client).length > 0).length);
    }
    expect(served.length).toBeGreaterThan(1);
    expect(served).toEqual([...served].sort((a, b) => a - b));
    expect(test.pool.isPassing).toBe(false);
    for (const client of all) expect(textsAt(client)).toEqual(['text']);
  });

  // A member that leaves gives its place to the last one, which may then stand where everybody has been served already.
  it('serves everybody who stays, once, whoever leaves and comes in a pause', () => {
    for (let leaver = 0; leaver < MANY; leaver += 7) {
      const test = new TestPool();
      const all = clients(test, MANY);
      for (const text of ['a', 'b', 'c']) {
        test.publish('A', text);
        if (text !== 'c') test.flushAll();
      }
      test.pool.flush(0, () => false);
      test.disconnect(all[leaver]!.connection);
      const newcomer = test.client('firehose');
      finish(test);
      for (const [index, client] of all.entries()) {
        if (index !== leaver) expect(textsAt(client)).toEqual(['a', 'b', 'c']);
      }
      expect(textsAt(newcomer)).toEqual([]);
    }
  });

  it('finds what was full in a pause when the pause is over', () => {
    const test = new TestPool({ policy: adaptivePolicy(3, 10) });
    const all = clients(test, MANY);
    test.publish('A', '0');
    let next = 1;
    test.pool.flush(0, () => {
      while (next < 10) test.publish('A', `${next++}`);
      return true;
    });
    test.flushAll();
    for (const client of all) expect(textsAt(client).map(Number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('begins with another member each time, as long as nothing is left over from the one before', () => {
    const test = new TestPool();
    const all = clients(test, MANY);
    const firsts = new Set<number>();
    for (let pass = 0; pass < 20; pass++) {
      const before = all.map(({ socket }) => socket.pieces.length);
      test.publish('A', `${pass}`);
      test.pool.flush(0, () => false);
      firsts.add(all.findIndex(({ socket }, index) => socket.pieces.length > before[index]!));
      finish(test);
    }
    expect(firsts.size).toBeGreaterThan(10);
  });
});

describe('batches of types that may wait for different times', () => {
  it('are written each when its own time has come, and at the shortest where they are in one', () => {
    const test = new TestPool({ policy: loaded() });
    const [tape, chart, both] = [
      test.client({ symbols: 'TAPE' }),
      test.client({ symbols: 'CHART' }),
      test.client({ symbols: ['TAPE', 'CHART'] }),
    ];
    test.publish('CHART', 'kline', { slot: KLINE });
    test.publish('TAPE', 'trade', { slot: TRADE });
    test.pool.flush(BEGUN_MS + 5);
    expect([textsAt(tape), textsAt(chart), textsAt(both)]).toEqual([[], [], []]);
    test.pool.flush(BEGUN_MS + 10);
    expect([textsAt(tape), textsAt(chart), textsAt(both)]).toEqual([['trade'], [], ['kline', 'trade']]);
    expect(test.pool.dueInMs(BEGUN_MS + 10)).toBeGreaterThan(10);
    test.pool.flush(BEGUN_MS + 100);
    expect(textsAt(chart)).toEqual(['kline']);
  });
});

const [TRADE, KLINE] = [0, 2];
const BEGUN_MS = 1_000;

/** A policy under such a load that everything waits for as long as it may: trades 10 ms, klines 100. */
function loaded() {
  const policy = adaptivePolicy(1_000, 10, { kline: 100 });
  for (let i = 0; i < 60; i++) policy.passed(BEGUN_MS, 7, 0b11);
  return policy;
}

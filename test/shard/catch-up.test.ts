import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AdaptivePolicy, FixedPolicy } from '../../src/batch/flush-policy.ts';
import type { GatedSocket } from '../support/gated-socket.ts';
import { deliveriesAt, seqsAt, TestShard } from '../support/test-shard.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** The seqs that a socket has got, by symbol. */
function bySymbol(socket: GatedSocket): Map<string, number[]> {
  const seqs = new Map<string, number[]>();
  for (const { symbol, seq } of deliveriesAt(socket)) seqs.set(symbol, [...(seqs.get(symbol) ?? []), seq]);
  return seqs;
}

function expectOrderWithoutRepeats(socket: GatedSocket): void {
  for (const [symbol, seqs] of bySymbol(socket)) {
    for (const [i, seq] of seqs.entries()) expect(seq, symbol).toBeGreaterThan(seqs[i - 1] ?? 0);
  }
}

/** A shard that has read the first publication of each symbol. */
function shardWith(symbols: string[], topicsMax?: number): TestShard {
  const test = new TestShard(topicsMax === undefined ? {} : { topicsMax });
  for (const symbol of symbols) test.publish(symbol);
  test.duty.flush();
  return test;
}

describe('a shard that has been lapped', () => {
  it('goes on from the tail with the newest value of every topic, and counts the others as lost', () => {
    const symbols = ['A', 'B', 'C'];
    const test = shardWith(symbols);
    const socket = test.client();
    test.overrun(symbols);
    test.duty.turn();
    const newest = test.publisher.seq;
    expect(seqsAt(socket).toSorted((a, b) => a - b)).toEqual([newest - 2, newest - 1, newest]);
    expect(test.statistics.get('lapped')).toBe(1);
    expect(test.asked).toEqual([]);
    test.publish('A');
    test.duty.turn();
    expect(seqsAt(socket).at(-1)).toBe(newest + 1);
    const { statistics } = test;
    expect(statistics.get('recordsRead')).toBe(4);
    expect(statistics.get('recordsLost')).toBe(newest - 3);
  });

  it('counts as lost exactly what it has not read, lap after lap', () => {
    const test = shardWith(['A']);
    for (let lap = 1; lap <= 3; lap++) {
      test.overrun(['A', 'B']);
      test.duty.turn();
      for (let i = 0; i < lap; i++) test.publish('A');
      test.duty.turn();
      expect(test.statistics.get('lapped')).toBe(lap);
      expect(test.statistics.get('recordsRead') + test.statistics.get('recordsLost')).toBe(test.publisher.seq);
    }
    expect(test.statistics.get('recordsRead')).toBe(1 + 1 + 2 + 3);
  });

  it('asks the primary for topics whose newest record has been overwritten too', () => {
    const test = shardWith(['A', 'RARE']);
    const socket = test.client();
    const rare = test.publish('RARE');
    test.overrun(['A']);
    test.duty.turn();
    expect(test.asked).toEqual([[1]]);
    expect(bySymbol(socket).get('RARE')).toBeUndefined();
    test.answer();
    expect(bySymbol(socket).get('RARE')).toEqual([rare]);
    expectOrderWithoutRepeats(socket);
  });

  // The mechanism: topics that had not moved were read again or asked for as well. One that nobody had seen on this shard,
  // since it was older than the shard, went out as if it were new; and thousands of quiet ones were asked for at each lap.
  it('leaves topics alone that have not moved since it last read', () => {
    const test = new TestShard();
    test.publish('OLD');
    test.receiver.receive(() => {});
    for (const symbol of ['A', 'QUIET']) test.publish(symbol);
    test.duty.flush();
    const socket = test.client();
    test.overrun(['A']);
    test.duty.turn();
    expect(test.asked).toEqual([]);
    expect([...bySymbol(socket).keys()]).toEqual(['A']);
  });

  // The mechanism: the answer was taken for the end of what the shard had missed. It may as well be further on in the ring,
  // behind records that are still to be read; then it came too early and once more in its turn.
  it('puts no answer before what is older in the ring, and delivers nothing twice', () => {
    const test = shardWith(['A', 'RARE']);
    const socket = test.client();
    test.publish('RARE');
    test.overrun(['A']);
    test.duty.turn();
    const missed = test.publisher.seq;
    const later = [test.publish('RARE'), test.publish('RARE'), test.publish('RARE')];
    test.answer();
    test.duty.turn();
    expect(bySymbol(socket).get('RARE')).toEqual(later);
    expect(later[0]).toBe(missed + 1);
    expectOrderWithoutRepeats(socket);
  });

  it('does not read ahead what is published while it catches up', () => {
    const test = shardWith(['A', 'B']);
    const socket = test.client();
    test.overrun(['A', 'B']);
    test.onLapped = () => ['A', 'B', 'A'].forEach((symbol) => void test.publish(symbol));
    test.duty.turn();
    const seq = test.publisher.seq;
    expect(seqsAt(socket).slice(-3)).toEqual([seq - 2, seq - 1, seq]);
    expectOrderWithoutRepeats(socket);
  });

  it('takes no answer that is older than what has come since', () => {
    const test = shardWith(['A', 'RARE']);
    const socket = test.client();
    const stale = test.publish('RARE');
    test.overrun(['A']);
    test.duty.turn();
    const frames = test.publisher.latest(test.asked.shift()!);
    expect(frames.map(({ seq }) => seq)).toEqual([stale]);
    const fresh = test.publish('RARE');
    test.duty.turn();
    test.catchUp.answered(frames);
    expect(bySymbol(socket).get('RARE')).toEqual([fresh]);
  });

  it('asks for thousands of topics some at a time, each once', () => {
    const symbols = Array.from({ length: 9_000 }, (_, i) => `S${i}`);
    const test = new TestShard({ topicsMax: 10_000 });
    test.publish('FIRST');
    test.duty.flush();
    const socket = test.client();
    for (const symbol of symbols) test.publish(symbol);
    test.duty.turn();
    const asked = test.asked.flat();
    expect(Math.max(...test.asked.map(({ length }) => length))).toBeLessThanOrEqual(4_096);
    expect(new Set(asked).size).toBe(asked.length);
    while (test.asked.length > 0) test.answer();
    test.duty.flush();
    expect([...bySymbol(socket).values()].flat()).toHaveLength(symbols.length);
  });

  it('says so in the log', () => {
    const test = shardWith(['A', 'B']);
    test.publish('B');
    test.overrun(['A']);
    test.duty.turn();
    expect(test.logger.lines).toEqual([
      { level: 'warn', fields: { lapped: 1, reread: 1, asked: 1 }, message: expect.stringContaining('lapped') },
    ]);
  });

  it('delivers the answers without waiting for the next publication', () => {
    const test = shardWith(['A', 'RARE']);
    const socket = test.client({ symbols: 'RARE' });
    test.publish('RARE');
    test.overrun(['A']);
    test.duty.turn();
    test.answer();
    vi.runAllTimers();
    expect(seqsAt(socket)).toHaveLength(1);
    expect(test.isWaiting).toBe(true);
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
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('turn' as const, 'timers', 'flush', 'answer') }) },
  );

  it.each([
    ['adaptive', () => new AdaptivePolicy(100, 10)],
    ['fixed', () => new FixedPolicy(10, 20)],
  ] as const)(
    'ends with the newest value of every topic, in order, nothing twice, everything counted: %s',
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
            else if (next.do === 'flush') test.duty.flush();
            else test.answer();
          }
          // One more record, once it has caught up, shows how many were lost before it.
          test.duty.flush();
          newest.set('A', test.publish('A'));
          test.duty.flush();
          while (test.asked.length > 0) test.answer();
          test.duty.flush();
          for (const socket of [all, one]) expectOrderWithoutRepeats(socket);
          for (const [symbol, seq] of newest) {
            expect(bySymbol(all).get(symbol)!.at(-1)).toBe(seq);
            expect(bySymbol(one).get(symbol)?.at(-1)).toBe(symbol === 'A' || symbol === 'E' ? seq : undefined);
          }
          const { statistics } = test;
          expect(statistics.get('recordsRead') + statistics.get('recordsLost')).toBe(test.publisher.seq);
          expect(statistics.get('messagesForwarded')).toBe(seqsAt(all).length + seqsAt(one).length);
          if (statistics.get('lapped') === 0) expect(seqsAt(all)).toHaveLength(test.publisher.seq);
          test.duty.stop();
        }),
        { numRuns: 150 },
      );
    },
  );
});

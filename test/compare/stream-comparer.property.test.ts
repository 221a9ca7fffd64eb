import { describe, expect, it } from 'vitest';
import { frame, measuringComparer, trade } from '../support/compared-streams.ts';
import { faultyStreams } from '../support/faulty-stream.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';

const seed = seedOfRun('stream-comparer');
const ROUNDS = 30;

describe('two streams with faults', () => {
  it('are told apart by exactly these', () => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const { messages, expected, explained, identical, published } = faultyStreams(random, 60);
      const comparer = measuringComparer({ windowMs: 2_000, patienceMs: 1_000 });
      for (const { side, text, atMs } of messages) {
        comparer.take(side, text, atMs);
        if (random.below(5) === 0) comparer.expire(atMs);
      }
      comparer.finish(messages.at(-1)!.atMs + 1_000);
      const { findings } = comparer;
      expect([round, findings.found]).toEqual([round, expected]);
      expect(findings.explained).toMatchObject(explained);
      expect(findings.identical).toBe(identical);
      expect(findings.judged).toBe(published);
      expect(findings.unjudged).toBe(0);
    }
  });

  it('are counted as multisets, whatever the order and the repetitions', () => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const ids = { old: randomIds(random), new: randomIds(random) };
      const comparer = measuringComparer();
      for (let at = 0; at < Math.max(ids.old.length, ids.new.length); at++) {
        if (at < ids.old.length) comparer.take('old', JSON.stringify(trade(ids.old[at]!)), at);
        if (at < ids.new.length) comparer.take('new', frame(trade(ids.new[at]!)), at);
      }
      comparer.finish(1_000);
      const pairs = sumOverIds((id) => Math.min(countOf(ids.old, id), countOf(ids.new, id)));
      expect(comparer.findings).toMatchObject({
        pairs,
        found: { missing: ids.old.length - pairs, extra: ids.new.length - pairs, differing: 0 },
      });
    }
  });
});

const IDS = 8;

function randomIds(random: SeededRandom): number[] {
  return Array.from({ length: random.below(40) }, () => random.below(IDS));
}

function countOf(ids: readonly number[], id: number): number {
  return ids.filter((each) => each === id).length;
}

function sumOverIds(count: (id: number) => number): number {
  return Array.from({ length: IDS }, (_, id) => count(id)).reduce((a, b) => a + b);
}

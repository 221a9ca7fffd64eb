import { describe, expect, it } from 'vitest';
import { SignedHistogram } from '../../src/compare/signed-histogram.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';

const seed = seedOfRun('signed-histogram');

describe('a histogram of times that may be negative', () => {
  it('is all 0 where nothing was counted', () => {
    expect(new SignedHistogram().summary()).toEqual({ count: 0, p50: 0, p95: 0, p99: 0 });
  });

  it.each([
    [-1_000, 1_000],
    [-1_000, -1],
    [1, 1_000],
    [-10, 1_000],
  ])('tells percentiles to within a bucket: %i to %i ms', (from, to) => {
    const random = new SeededRandom(seed);
    const values = Array.from({ length: 2_000 }, () => random.between(from * 10, to * 10) / 10);
    const histogram = new SignedHistogram();
    for (const value of values) histogram.add(value);
    const sorted = values.toSorted((a, b) => a - b);
    const { count, p50, p95, p99 } = histogram.summary();
    expect(count).toBe(2_000);
    for (const [fraction, told] of [
      [0.5, p50],
      [0.95, p95],
      [0.99, p99],
    ] as const) {
      const exact = sorted[Math.ceil(fraction * 2_000) - 1]!;
      // A bucket's own width, and one place in the order, since negative ones are counted from the other end.
      const neighbours = sorted.slice(Math.ceil(fraction * 2_000) - 2, Math.ceil(fraction * 2_000) + 1);
      const slack = Math.max(...neighbours.map((value) => Math.abs(value - exact))) + Math.abs(exact) * 0.07 + 0.002;
      expect(Math.abs(told - exact)).toBeLessThanOrEqual(slack);
    }
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addBuckets,
  bucketFloor,
  bucketIndex,
  HISTOGRAM_BUCKETS,
  LATENCY_US_MAX,
  percentile,
  summarise,
} from '../../src/telemetry/histogram.ts';

const ERROR_MAX = 1 / 32;
const latencyUs = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.integer({ min: 0, max: 100_000 }),
  fc.integer({ min: 0, max: LATENCY_US_MAX - 1 }),
);

function record(values: readonly number[]): Float64Array {
  const buckets = new Float64Array(HISTOGRAM_BUCKETS);
  for (const value of values) {
    const index = bucketIndex(value);
    buckets[index] = buckets[index]! + 1;
  }
  return buckets;
}

/** The value at a rank, as the histogram means it: the least that `fraction` of all do not exceed. */
function exactPercentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)]!;
}

describe('histogram buckets', () => {
  it('start where bucketFloor says, each right after the one before', () => {
    for (let index = 0; index < HISTOGRAM_BUCKETS; index++) {
      const floor = bucketFloor(index);
      expect(bucketIndex(floor)).toBe(index);
      if (index > 0) expect(bucketIndex(floor - 1)).toBe(index - 1);
    }
  });

  it('hold each value below 32 alone', () => {
    for (let value = 0; value < 32; value++) {
      expect(bucketIndex(value)).toBe(value);
      expect(percentile(record([value]), 0.5)).toBe(value);
    }
  });

  it('end at 2^31 µs', () => {
    expect(bucketFloor(HISTOGRAM_BUCKETS)).toBe(LATENCY_US_MAX);
    expect(bucketIndex(LATENCY_US_MAX - 1)).toBe(HISTOGRAM_BUCKETS - 1);
  });

  it.each([
    [2 ** 31, HISTOGRAM_BUCKETS - 1],
    [2 ** 40, HISTOGRAM_BUCKETS - 1],
    [Number.POSITIVE_INFINITY, HISTOGRAM_BUCKETS - 1],
    [-1, 0],
    [Number.NEGATIVE_INFINITY, 0],
    [Number.NaN, 0],
    [0.9, 0],
    [31.9, 31],
    [2 ** 31 - 0.5, HISTOGRAM_BUCKETS - 1],
  ])('take in %d', (value, index) => {
    expect(bucketIndex(value)).toBe(index);
  });
});

describe('percentile', () => {
  it('is at most 3.125 % from the value at that rank', () => {
    const fraction = fc.constantFrom(0.5, 0.9, 0.95, 0.99, 1);
    fc.assert(
      fc.property(fc.array(latencyUs, { minLength: 1, maxLength: 200 }), fraction, (values, share) => {
        const exact = exactPercentile(values, share);
        // Products like 0.95 × 20 may come out above the whole number and take the next rank.
        const next = exactPercentile(values, Math.min(1, share + 1e-9));
        const told = percentile(record(values), share);
        const error = Math.min(Math.abs(told - exact), Math.abs(told - next));
        expect(error).toBeLessThanOrEqual(Math.max(exact, next) * ERROR_MAX);
      }),
    );
  });

  it('is 0 when nothing was counted', () => {
    expect(percentile(record([]), 0.99)).toBe(0);
  });

  it('lies in the last bucket for what is longer than the histogram', () => {
    const told = percentile(record([2 ** 35]), 0.5);
    expect(Math.abs(told - LATENCY_US_MAX)).toBeLessThanOrEqual(LATENCY_US_MAX * ERROR_MAX);
  });
});

describe('summarise', () => {
  it('tells the exact mean from the sum beside the buckets', () => {
    const values = [100, 200, 1_000_003];
    const sum = values.reduce((a, b) => a + b);
    expect(summarise(record(values), sum)).toMatchObject({ count: 3, mean: sum / 3 });
  });

  it('orders its percentiles, the maximum last', () => {
    fc.assert(
      fc.property(fc.array(latencyUs, { minLength: 1 }), (values) => {
        const { p50, p95, p99, max } = summarise(record(values), 0);
        expect([p50, p95, p99, max]).toEqual([p50, p95, p99, max].sort((a, b) => a - b));
        const exact = Math.max(...values);
        expect(Math.abs(max - exact)).toBeLessThanOrEqual(exact * ERROR_MAX);
      }),
    );
  });

  it('is all 0 when nothing was counted', () => {
    expect(summarise(record([]), 0)).toEqual({ count: 0, mean: 0, p50: 0, p95: 0, p99: 0, max: 0 });
  });
});

describe('addBuckets', () => {
  it('makes of two histograms the one of all their values', () => {
    fc.assert(
      fc.property(fc.array(latencyUs), fc.array(latencyUs), (some, others) => {
        const merged = record(some);
        addBuckets(merged, record(others));
        expect(merged).toEqual(record([...some, ...others]));
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../perf/load/latency-histogram.ts';

function histogramOf(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

function overTheWire(histogram: LatencyHistogram): ReturnType<LatencyHistogram['toWire']> {
  return JSON.parse(JSON.stringify(histogram.toWire()));
}

describe('LatencyHistogram', () => {
  it('merges to what one histogram of all samples gives', () => {
    const fast = Array.from({ length: 900 }, (_, i) => i);
    const slow = Array.from({ length: 100 }, (_, i) => 50_000 + 700 * i);
    const merged = new LatencyHistogram();
    merged.merge(overTheWire(histogramOf(fast)));
    merged.merge(overTheWire(histogramOf(slow)));
    expect(merged.summary()).toEqual(histogramOf([...fast, ...slow]).summary());
  });

  it('takes percentiles from all samples, not from the processes one by one', () => {
    const merged = new LatencyHistogram();
    merged.merge(overTheWire(histogramOf(new Array(990).fill(10))));
    merged.merge(overTheWire(histogramOf(new Array(10).fill(100_000))));
    const { p50, p95, p99, max, count } = merged.summary();
    expect([p50, p95, p99, max, count]).toEqual([10, 10, 10, 100_000, 1_000]);
  });

  it('keeps mean and maximum exact and percentiles within their bucket', () => {
    const { mean, max, p50 } = histogramOf([1_000, 2_000, 3_333]).summary();
    expect([mean, max]).toEqual([2_111, 3_333]);
    expect(Math.abs(p50 - 2_000) / 2_000).toBeLessThan(0.04);
  });

  it('counts a negative time as none, and is all zero when empty', () => {
    expect(histogramOf([-5]).summary()).toEqual({ count: 1, mean: 0, p50: 0, p95: 0, p99: 0, max: 0 });
    expect(new LatencyHistogram().summary()).toEqual({ count: 0, mean: 0, p50: 0, p95: 0, p99: 0, max: 0 });
  });
});

import { describe, expect, it } from 'vitest';
import { LatencyTimeline, latencyBetween, mergeTimelines } from '../../perf/load/latency-timeline.ts';

function timelineOf(...measured: [atMs: number, latencyUs: number][]) {
  const timeline = new LatencyTimeline(100);
  for (const [atMs, latencyUs] of measured) timeline.record(atMs * 1000, latencyUs);
  return timeline.toWire();
}

describe('LatencyTimeline', () => {
  it('cuts the wall clock into intervals and leaves out the empty ones', () => {
    const timeline = timelineOf([1_250, 7], [1_000, 1], [1_099.9, 3], [1_100, 5]);
    expect(timeline.map(({ atMs, latency }) => [atMs, latency.sumUs])).toEqual([
      [1_000, 4],
      [1_100, 5],
      [1_200, 7],
    ]);
  });

  it('is laid over that of another process', () => {
    const merged = mergeTimelines([timelineOf([1_000, 1], [1_200, 5]), timelineOf([1_050, 2], [1_100, 3])]);
    expect(merged.map(({ atMs, latency }) => [atMs, latency.sumUs])).toEqual([
      [1_000, 3],
      [1_100, 3],
      [1_200, 5],
    ]);
  });

  it('tells what was measured in the intervals that a time touches', () => {
    const timeline = timelineOf([1_000, 1], [1_100, 10], [1_200, 100], [1_300, 1_000]);
    const sumBetween = (fromMs: number, toMs: number) => latencyBetween(timeline, 100, fromMs, toMs).toWire().sumUs;
    expect(sumBetween(1_150, 1_200)).toBe(110);
    expect(sumBetween(1_100, 1_199)).toBe(10);
    expect(sumBetween(0, 999)).toBe(0);
    expect(sumBetween(0, 5_000)).toBe(1_111);
  });
});

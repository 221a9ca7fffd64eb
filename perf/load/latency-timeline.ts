import { type HistogramWire, LatencyHistogram } from './latency-histogram.ts';

/** Latencies of one interval of the wall clock. */
export interface TimelineInterval {
  /** ms since the epoch, a multiple of the interval's length. */
  atMs: number;
  latency: HistogramWire;
}

/**
 * Latencies by when they were measured: a histogram for each interval of the wall clock. Processes of one machine cut
 * their time at the same moments, so theirs can be laid over one another, and over what else happened.
 */
export class LatencyTimeline {
  readonly #intervalMs: number;
  readonly #histograms = new Map<number, LatencyHistogram>();

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** @param atUs when it was measured, µs since the epoch */
  record(atUs: number, latencyUs: number): void {
    const interval = Math.floor(atUs / 1000 / this.#intervalMs);
    let histogram = this.#histograms.get(interval);
    if (histogram === undefined) {
      histogram = new LatencyHistogram();
      this.#histograms.set(interval, histogram);
    }
    histogram.record(latencyUs);
  }

  /** In the order of time; intervals in which nothing was measured are left out. */
  toWire(): TimelineInterval[] {
    return [...this.#histograms]
      .sort(([a], [b]) => a - b)
      .map(([interval, histogram]) => ({ atMs: interval * this.#intervalMs, latency: histogram.toWire() }));
  }
}

/** Lays the timelines of several processes over one another. */
export function mergeTimelines(timelines: readonly (readonly TimelineInterval[])[]): TimelineInterval[] {
  const merged = new Map<number, LatencyHistogram>();
  for (const { atMs, latency } of timelines.flat()) {
    const histogram = merged.get(atMs) ?? new LatencyHistogram();
    histogram.merge(latency);
    merged.set(atMs, histogram);
  }
  return [...merged].sort(([a], [b]) => a - b).map(([atMs, histogram]) => ({ atMs, latency: histogram.toWire() }));
}

/** All that was measured in the intervals that touch `fromMs`..`toMs`. */
export function latencyBetween(
  timeline: readonly TimelineInterval[],
  intervalMs: number,
  fromMs: number,
  toMs: number,
): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const { atMs, latency } of timeline) {
    if (atMs + intervalMs > fromMs && atMs <= toMs) histogram.merge(latency);
  }
  return histogram;
}

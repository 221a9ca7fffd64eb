import { summarise } from './histogram.ts';

/** Latency from a publication's due time to the socket write, as the admin API and the log tell it: in ms. */
export interface LatencySummary {
  /** Deliveries that it tells of. */
  count: number;
  averageMs: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  maxMs: number;
}

export const NO_LATENCY: LatencySummary = Object.freeze({
  count: 0,
  averageMs: 0,
  p50Ms: 0,
  p95Ms: 0,
  p99Ms: 0,
  maxMs: 0,
});

/** @param sumUs exact sum of what the buckets counted */
export function latencySummary(buckets: ArrayLike<number>, sumUs: number): LatencySummary {
  const { count, mean, p50, p95, p99, max } = summarise(buckets, sumUs);
  return {
    count,
    averageMs: toMs(mean),
    p50Ms: toMs(p50),
    p95Ms: toMs(p95),
    p99Ms: toMs(p99),
    maxMs: toMs(max),
  };
}

/** Whole microseconds: the histogram tells nothing finer. */
function toMs(us: number): number {
  return Math.round(us) / 1_000;
}

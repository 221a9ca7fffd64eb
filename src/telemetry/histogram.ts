/**
 * A log-linear histogram of whole microseconds in a Float64Array: values below 32 exact, above that 16 buckets an octave,
 * so a bucket's middle is at most 3.2 % from any value in it. After HdrHistogram's bucket layout. One thread writes, any thread
 * may read: a bucket is one aligned 8-byte word, and a figure that is one delivery old does no harm.
 */
const SUB_BITS = 4;
const SUB_BUCKETS = 1 << SUB_BITS;
const OCTAVES_MAX = 31;

/** What is longer counts in the last bucket, and as this much in a sum: 2^31 µs, some 36 minutes. */
export const LATENCY_US_MAX = 2 ** OCTAVES_MAX;

/** Buckets of one histogram: values up to LATENCY_US_MAX. */
export const HISTOGRAM_BUCKETS = (OCTAVES_MAX - SUB_BITS + 1) * SUB_BUCKETS;

/** The bucket that `valueUs` (≥ 0) counts in. */
export function bucketIndex(valueUs: number): number {
  if (!(valueUs >= SUB_BUCKETS)) return valueUs > 0 ? valueUs | 0 : 0;
  if (valueUs >= LATENCY_US_MAX) return HISTOGRAM_BUCKETS - 1;
  const value = valueUs | 0;
  const octave = 31 - Math.clz32(value);
  return (octave - SUB_BITS + 1) * SUB_BUCKETS + ((value >>> (octave - SUB_BITS)) & (SUB_BUCKETS - 1));
}

/** Least value (µs) that counts in bucket `index`; at HISTOGRAM_BUCKETS the bound above the last one, 2^31. */
export function bucketFloor(index: number): number {
  if (index < 2 * SUB_BUCKETS) return index;
  const octave = Math.floor(index / SUB_BUCKETS) + SUB_BITS - 1;
  return (SUB_BUCKETS + (index % SUB_BUCKETS)) * 2 ** (octave - SUB_BITS);
}

/** Adds the counts of `source` to `target`, both of HISTOGRAM_BUCKETS words. */
export function addBuckets(target: Float64Array, source: ArrayLike<number>): void {
  for (let i = 0; i < HISTOGRAM_BUCKETS; i++) target[i] = (target[i] as number) + (source[i] as number);
}

/** A reading of one histogram, or of several merged. Times in µs; all 0 when nothing was counted. */
export interface HistogramSummary {
  count: number;
  mean: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** Value (µs) below which `fraction` (0..1) of the counts lie, taken at the middle of its bucket. */
export function percentile(buckets: ArrayLike<number>, fraction: number): number {
  let total = 0;
  for (let i = 0; i < HISTOGRAM_BUCKETS; i++) total += buckets[i] as number;
  if (total === 0) return 0;
  const target = total * fraction;
  let seen = 0;
  for (let i = 0; i < HISTOGRAM_BUCKETS; i++) {
    seen += buckets[i] as number;
    if (seen >= target && seen > 0) return bucketMiddle(i);
  }
  return bucketMiddle(HISTOGRAM_BUCKETS - 1);
}

/** `sumUs`: the exact sum of what was counted, kept beside the buckets by whoever records. */
export function summarise(buckets: ArrayLike<number>, sumUs: number): HistogramSummary {
  let count = 0;
  let last = 0;
  for (let i = 0; i < HISTOGRAM_BUCKETS; i++) {
    const n = buckets[i] as number;
    count += n;
    if (n > 0) last = i;
  }
  return {
    count,
    mean: count === 0 ? 0 : sumUs / count,
    p50: percentile(buckets, 0.5),
    p95: percentile(buckets, 0.95),
    p99: percentile(buckets, 0.99),
    max: count === 0 ? 0 : bucketMiddle(last),
  };
}

function bucketMiddle(index: number): number {
  return (bucketFloor(index) + bucketFloor(index + 1) - 1) / 2;
}

import { type Blocks, type DeliveryTotals, deliveryTotals } from './block-totals.ts';
import { bucketFloor, HISTOGRAM_BUCKETS } from './histogram.ts';
import { DATA_TYPE_NAMES } from './statistics-block.ts';

/**
 * Upper bounds in seconds. They hold the figures that an operator compares with: 5 ms, and the 15 ms and 30 ms at which
 * health turns. A bound cuts through a bucket of the log-linear histogram; that bucket counts above it, so the share
 * below a bound is never told too high, and a bound is off by at most 6 % of its value.
 */
export const LATENCY_BOUNDS_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

export const LATENCY_METRIC = {
  name: 'tickcast_delivery_latency_seconds',
  help: 'From a publication being due to the write to the socket',
  labels: ['data_type'],
} as const;

export interface HistogramSample {
  metricName: string;
  labels: Record<string, string>;
  value: number;
}

/** Buckets, sum and count of each data type, in the order of the exposition format. */
export function latencySamples(blocks: Blocks): HistogramSample[] {
  return DATA_TYPE_NAMES.flatMap((dataType, slot) => samplesOf(dataType, deliveryTotals(blocks, [slot])));
}

function samplesOf(dataType: string, { buckets, latencySumUs }: DeliveryTotals): HistogramSample[] {
  const { name } = LATENCY_METRIC;
  const labels = { data_type: dataType };
  const samples: HistogramSample[] = [];
  let cumulated = 0;
  let bucket = 0;
  for (const bound of LATENCY_BOUNDS_SECONDS) {
    const boundUs = bound * 1e6;
    while (bucket < HISTOGRAM_BUCKETS && bucketFloor(bucket + 1) - 1 <= boundUs)
      cumulated += buckets[bucket++] as number;
    samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: String(bound) }, value: cumulated });
  }
  while (bucket < HISTOGRAM_BUCKETS) cumulated += buckets[bucket++] as number;
  samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: cumulated });
  samples.push({ metricName: `${name}_sum`, labels, value: latencySumUs / 1e6 });
  samples.push({ metricName: `${name}_count`, labels, value: cumulated });
  return samples;
}

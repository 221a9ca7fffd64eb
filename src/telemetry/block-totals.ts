import { addBuckets, HISTOGRAM_BUCKETS } from './histogram.ts';
import {
  type BlockReading,
  CLOSE_SLOTS,
  COUNTERS,
  type CounterName,
  DATA_TYPE_NAMES,
  type GaugeName,
} from './statistics-block.ts';

/** Sums over statistics blocks, of all shards and of all instances alike. Every function reads shared memory at once and keeps nothing. */
export type CounterTotals = Record<CounterName, number>;

export interface DeliveryTotals {
  count: number;
  /** Of the frames. */
  bytes: number;
  latencySumUs: number;
  /** A copy, HISTOGRAM_BUCKETS words. */
  buckets: Float64Array;
}

export type Blocks = readonly BlockReading[];

/** Slots of the data types in use, in the order of DATA_TYPE_NAMES. */
export const DATA_TYPE_SLOTS_USED: readonly number[] = DATA_TYPE_NAMES.map((_, slot) => slot);

export function counterTotals(blocks: Blocks): CounterTotals {
  return Object.fromEntries(COUNTERS.map((name) => [name, total(blocks, name)])) as CounterTotals;
}

export function total(blocks: Blocks, name: CounterName | GaugeName): number {
  let sum = 0;
  for (const block of blocks) sum += block.get(name);
  return sum;
}

/** Closed connections by row of the close-code table, CLOSE_SLOTS words. */
export function closeTotals(blocks: Blocks): Float64Array {
  const totals = new Float64Array(CLOSE_SLOTS);
  for (const block of blocks) {
    const closes = block.closes();
    for (let row = 0; row < CLOSE_SLOTS; row++) totals[row] = (totals[row] as number) + (closes[row] as number);
  }
  return totals;
}

/** Deliveries of the data types in `slots`, added up. */
export function deliveryTotals(blocks: Blocks, slots: readonly number[] = DATA_TYPE_SLOTS_USED): DeliveryTotals {
  const totals = { count: 0, bytes: 0, latencySumUs: 0, buckets: new Float64Array(HISTOGRAM_BUCKETS) };
  for (const block of blocks) {
    for (const slot of slots) {
      const { count, bytes, latencySumUs } = block.deliveries(slot);
      totals.count += count;
      totals.bytes += bytes;
      totals.latencySumUs += latencySumUs;
      addBuckets(totals.buckets, block.latencyBuckets(slot));
    }
  }
  return totals;
}

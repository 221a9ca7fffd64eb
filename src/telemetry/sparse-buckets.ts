import { HISTOGRAM_BUCKETS } from './histogram.ts';

/** A histogram as JSON: index and count by turns, without the empty buckets, which are most. */
export type SparseBuckets = readonly number[];

export function sparseBuckets(buckets: ArrayLike<number>): number[] {
  const sparse: number[] = [];
  for (let index = 0; index < HISTOGRAM_BUCKETS; index++) {
    const count = buckets[index] as number;
    if (count > 0) sparse.push(index, count);
  }
  return sparse;
}

/** Adds the counts to `target`, of HISTOGRAM_BUCKETS words. What is beyond them counts in the last one. */
export function addSparse(target: Float64Array, sparse: SparseBuckets): void {
  for (let at = 0; at + 1 < sparse.length; at += 2) {
    const index = Math.min(sparse[at] as number, HISTOGRAM_BUCKETS - 1);
    target[index] = (target[index] as number) + (sparse[at + 1] as number);
  }
}

export function bucketsOf(sparse: SparseBuckets): Float64Array {
  const buckets = new Float64Array(HISTOGRAM_BUCKETS);
  addSparse(buckets, sparse);
  return buckets;
}

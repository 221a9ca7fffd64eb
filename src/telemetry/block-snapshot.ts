import { DROP_REASONS } from './drop-reasons.ts';
import { HISTOGRAM_BUCKETS } from './histogram.ts';
import { addSparse, type SparseBuckets, sparseBuckets } from './sparse-buckets.ts';
import {
  type BlockReading,
  CLOSE_SLOTS,
  COUNTERS,
  DATA_TYPE_NAMES,
  dataTypeSlot,
  GAUGES,
  type ScalarName,
} from './statistics-block.ts';

/**
 * A statistics block as JSON, for another process. What may be inserted anywhere goes by its name, what only grows at its
 * end by its index: so instances of two versions understand each other while one replaces the other.
 */
export interface BlockSnapshot {
  scalars: Readonly<Record<string, number>>;
  /** By row of the close-code table. */
  closes: readonly number[];
  /** By name of the data type. */
  dataTypes: Readonly<Record<string, DataTypeSnapshot>>;
}

interface DataTypeSnapshot {
  count: number;
  bytes: number;
  latencySumUs: number;
  merged: number;
  /** By index in DROP_REASONS. */
  dropped: readonly number[];
  buckets: SparseBuckets;
}

export function snapshotOf(block: BlockReading): BlockSnapshot {
  return {
    scalars: Object.fromEntries([...COUNTERS, ...GAUGES].map((name) => [name, block.get(name)])),
    closes: [...block.closes()],
    dataTypes: Object.fromEntries(DATA_TYPE_NAMES.map((name, slot) => [name, dataTypeOf(block, slot)])),
  };
}

/** Reads like the block that the snapshot was taken of; what the snapshot does not tell of is 0. */
export function blockOf(snapshot: BlockSnapshot): BlockReading {
  return new SnapshotBlock(snapshot);
}

function dataTypeOf(block: BlockReading, slot: number): DataTypeSnapshot {
  return {
    ...block.deliveries(slot),
    merged: block.merged(slot),
    dropped: DROP_REASONS.map((_, reason) => block.dropped(slot, reason)),
    buckets: sparseBuckets(block.latencyBuckets(slot)),
  };
}

class SnapshotBlock implements BlockReading {
  readonly #snapshot: BlockSnapshot;
  /** By slot; types that this version does not know are among the last one's, `other`. */
  readonly #dataTypes: DataTypeSnapshot[][] = DATA_TYPE_NAMES.map(() => []);

  constructor(snapshot: BlockSnapshot) {
    this.#snapshot = snapshot;
    for (const [name, dataType] of Object.entries(snapshot.dataTypes)) {
      (this.#dataTypes[dataTypeSlot(name)] as DataTypeSnapshot[]).push(dataType);
    }
  }

  get(name: ScalarName): number {
    return this.#snapshot.scalars[name] ?? 0;
  }

  closes(): Float64Array {
    const closes = new Float64Array(CLOSE_SLOTS);
    closes.set(this.#snapshot.closes.slice(0, CLOSE_SLOTS));
    return closes;
  }

  deliveries(slot: number): { count: number; bytes: number; latencySumUs: number } {
    return {
      count: this.#sum(slot, ({ count }) => count),
      bytes: this.#sum(slot, ({ bytes }) => bytes),
      latencySumUs: this.#sum(slot, ({ latencySumUs }) => latencySumUs),
    };
  }

  merged(slot: number): number {
    return this.#sum(slot, ({ merged }) => merged);
  }

  dropped(slot: number, reason: number): number {
    return this.#sum(slot, ({ dropped }) => dropped[reason] ?? 0);
  }

  latencyBuckets(slot: number): Float64Array {
    const buckets = new Float64Array(HISTOGRAM_BUCKETS);
    for (const dataType of this.#dataTypes[slot] ?? []) addSparse(buckets, dataType.buckets);
    return buckets;
  }

  #sum(slot: number, figure: (dataType: DataTypeSnapshot) => number): number {
    return (this.#dataTypes[slot] ?? []).reduce((sum, dataType) => sum + figure(dataType), 0);
  }
}

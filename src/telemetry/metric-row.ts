import type { Aggregator as AggregatorName } from 'prom-client';
import type { AdminContext, RingFigures } from '../admin/admin-context.ts';
import type { CloseRow } from '../connection/close-codes.ts';
import type { SourceState } from '../source/source.ts';
import type { Aggregator } from './aggregator.ts';
import { type Blocks, type CounterTotals, closeTotals } from './block-totals.ts';
import { type ShardFigures, shardFigures } from './shard-figures.ts';
import { DATA_TYPE_NAMES, type GaugeName, type ScalarName } from './statistics-block.ts';

/** Everything that one scrape tells, read at one moment. */
export interface MetricReading {
  context: AdminContext;
  blocks: Blocks;
  counters: CounterTotals;
  closes: Float64Array;
  closeRows: readonly CloseRow[];
  shards: readonly ShardFigures[];
  ring: RingFigures;
  dataFlow: ReturnType<AdminContext['dataFlow']>;
  sources: readonly SourceState[];
  /** ms since the epoch. */
  nowMs: number;
  /** Of the primary's event loop, 0..1. */
  loopUtilization: number;
  /** Resident memory of the process, MiB. */
  memoryMb: number;
}

export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** One metric of docs/metrics.md. `read` gives the value, or one sample for each set of labels. */
export interface MetricRow {
  name: string;
  type: 'counter' | 'gauge';
  help: string;
  labels: readonly string[];
  /** What becomes of samples with the same labels that several instances have, see `aggregated`. */
  aggregator: AggregatorName;
  read(reading: MetricReading): number | readonly Sample[];
}

export function takeReading(
  context: AdminContext,
  aggregator: Aggregator,
  closeRows: readonly CloseRow[],
): MetricReading {
  const blocks = context.blocks();
  return {
    context,
    blocks,
    counters: aggregator.counters(),
    closes: closeTotals(blocks),
    closeRows,
    shards: shardFigures(context),
    ring: context.ring(),
    dataFlow: context.dataFlow(),
    sources: context.sources(),
    nowMs: aggregator.nowMs(),
    loopUtilization: aggregator.loopUtilization(),
    memoryMb: aggregator.memoryMb(),
  };
}

/** A metric without labels. */
export function plain(
  type: MetricRow['type'],
  name: string,
  help: string,
  read: (reading: MetricReading) => number,
): MetricRow {
  return labelled(type, name, help, [], read);
}

/** A metric with labels, a sample for each set of them. */
export function labelled(
  type: MetricRow['type'],
  name: string,
  help: string,
  labels: readonly string[],
  read: MetricRow['read'],
): MetricRow {
  return { name, type, help, labels, aggregator: type === 'counter' ? 'sum' : 'max', read };
}

/**
 * The row, its samples put together otherwise than by default where several instances have them. By default counters add
 * up, and of gauges the highest is told: that is right for states, shares, times, and for what all instances have alike.
 */
export function aggregated(aggregator: AggregatorName, row: MetricRow): MetricRow {
  return { ...row, aggregator };
}

/** A counter of the statistics blocks, over all shards. */
export function counted(name: string, help: string, counter: keyof CounterTotals): MetricRow {
  return plain('counter', name, help, ({ counters }) => counters[counter]);
}

/** A counter of the statistics blocks, shard by shard. */
export function ofBlocks(name: string, help: string, counter: keyof CounterTotals): MetricRow {
  return ofScalars('counter', name, help, counter);
}

/** A gauge of the statistics blocks, shard by shard. */
export function ofBlockGauges(name: string, help: string, gauge: GaugeName): MetricRow {
  return ofScalars('gauge', name, help, gauge);
}

function ofScalars(type: MetricRow['type'], name: string, help: string, scalar: ScalarName): MetricRow {
  return labelled(type, name, help, SHARD_LABELS, ({ context, blocks }) =>
    blocks.map((block, index) => ({ labels: shardLabels(context, index), value: block.get(scalar) })),
  );
}

/** A figure of each shard. @param valueFor undefined leaves the shard out */
export function ofShards(
  type: MetricRow['type'],
  name: string,
  help: string,
  valueFor: (shard: ShardFigures) => number | undefined,
): MetricRow {
  return labelled(type, name, help, SHARD_LABELS, ({ context, shards }) =>
    shards.flatMap((shard) => {
      const value = valueFor(shard);
      return value === undefined ? [] : [{ labels: shardLabels(context, shard.index), value }];
    }),
  );
}

const SHARD_LABELS = ['process', 'shard'] as const;

/** A shard's number means something only together with its instance's. */
function shardLabels({ instance }: AdminContext, index: number): Sample['labels'] {
  return { process: String(instance.process), shard: String(index) };
}

/** A count of the deliveries, by data type, over all shards. */
export function ofDataTypes(
  name: string,
  help: string,
  valueFor: (deliveries: { count: number; bytes: number }) => number,
): MetricRow {
  return labelled('counter', name, help, ['data_type'], ({ blocks }) =>
    DATA_TYPE_NAMES.map((dataType, slot) => ({
      labels: { data_type: dataType },
      value: blocks.reduce((sum, block) => sum + valueFor(block.deliveries(slot)), 0),
    })),
  );
}

/** A figure of each source. */
export function ofSources(
  type: MetricRow['type'],
  name: string,
  help: string,
  valueFor: (source: SourceState) => number,
): MetricRow {
  return labelled(type, name, help, ['source'], ({ sources }) =>
    sources.map((source) => ({ labels: { source: source.name }, value: valueFor(source) })),
  );
}

/** Closed connections, a sample for each row of the close-code table. */
export function closeSamples({ closes, closeRows }: MetricReading): Sample[] {
  return closeRows.map(({ code, name }, row) => ({
    labels: { code: String(code), reason: name },
    value: closes[row] ?? 0,
  }));
}

/** A state as samples: 1 for the current one, 0 for the others. */
export function oneOf<T extends string>(
  states: readonly T[],
  current: T,
  labelsOf: (state: T) => Record<string, string>,
): Sample[] {
  return states.map((state) => ({ labels: labelsOf(state), value: state === current ? 1 : 0 }));
}

import { z } from 'zod';
import type { InstanceIdentity } from '../cluster/instance-identity.ts';
import type { Aggregator } from '../telemetry/aggregator.ts';
import { type BlockSnapshot, blockOf, snapshotOf } from '../telemetry/block-snapshot.ts';
import type { InstanceFigures } from '../telemetry/figures.ts';
import { assessHealth, type HealthStatus } from '../telemetry/health.ts';
import { type ShardFigures, shardFigures } from '../telemetry/shard-figures.ts';
import { bucketsOf, type SparseBuckets, sparseBuckets } from '../telemetry/sparse-buckets.ts';
import { COUNTERS } from '../telemetry/statistics-block.ts';
import type { AdminContext } from './admin-context.ts';

/**
 * Everything that statistics, health and status are told from, of one instance. Nothing in it is finished: an answer is
 * made from the reports of all instances that it is about, be it one.
 */
export interface InstanceReport {
  instance: InstanceIdentity;
  version: string;
  /** When it was taken, ms since the epoch. */
  takenMs: number;
  uptimeMs: number;
  running: boolean;
  figures: InstanceFigures;
  shards: ShardFigures[];
  ring: ReturnType<AdminContext['ring']>;
  dataFlow: ReturnType<AdminContext['dataFlow']>;
  sources: ReturnType<AdminContext['sources']>;
  pressure: ReturnType<AdminContext['pressure']>;
  health: HealthStatus;
}

export function reportOf(context: AdminContext, aggregator: Aggregator): InstanceReport {
  return {
    instance: context.instance,
    version: context.version,
    takenMs: aggregator.nowMs(),
    uptimeMs: aggregator.uptimeMs(),
    running: context.running(),
    figures: aggregator.figures(),
    shards: shardFigures(context),
    ring: context.ring(),
    dataFlow: context.dataFlow(),
    sources: [...context.sources()],
    pressure: context.pressure(),
    health: assessHealth(context, aggregator),
  };
}

/** Goes up when a report can no longer be read by an instance of the version before. */
const FORMAT = 1;

/** The report on its way to another instance: blocks and buckets as plain JSON, the rest as it is. */
export function encodeReport(report: InstanceReport): Record<string, unknown> {
  const { figures } = report;
  const { rise } = figures;
  const deliveries = { ...rise.deliveries, buckets: sparseBuckets(rise.deliveries.buckets) };
  return {
    ...report,
    format: FORMAT,
    figures: { ...figures, blocks: figures.blocks.map(snapshotOf), rise: { ...rise, deliveries } },
  };
}

const record = z.looseObject({});
const counts = z.array(z.number());
const ENCODED = z.looseObject({
  format: z.literal(FORMAT),
  instance: z.object({ process: z.number(), pid: z.number() }),
  figures: z.looseObject({
    blocks: z.array(z.looseObject({ scalars: record, closes: counts, dataTypes: record })),
    rise: z.looseObject({ counters: record, deliveries: z.looseObject({ buckets: counts }) }),
  }),
  shards: z.array(record),
  ring: record,
  dataFlow: record,
  sources: z.array(record),
  pressure: record,
  health: z.looseObject({ status: z.string(), reasons: z.array(record) }),
});

/**
 * What another instance has encoded. It is this gateway's own program, perhaps in another version: the format is checked,
 * each number is not.
 * @throws ZodError
 */
export function decodeReport(json: unknown): InstanceReport {
  const report = ENCODED.parse(json) as unknown as InstanceReport;
  const { figures } = report;
  const { rise } = figures;
  const blocks = (figures.blocks as unknown as BlockSnapshot[]).map(blockOf);
  const buckets = bucketsOf(rise.deliveries.buckets as unknown as SparseBuckets);
  // A counter that the other version does not have.
  const none = Object.fromEntries(COUNTERS.map((name) => [name, 0]));
  const counters = { ...none, ...rise.counters };
  return {
    ...report,
    figures: { ...figures, blocks, rise: { ...rise, counters, deliveries: { ...rise.deliveries, buckets } } },
  };
}

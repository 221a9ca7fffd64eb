import type { CloseRow } from '../connection/close-codes.ts';
import { type DeliveryAccount, deliveryAccount } from '../telemetry/delivery-account.ts';
import {
  blocksOf,
  type ConnectionStats,
  connectionStats,
  type Latencies,
  latencies,
  type PoolStats,
  poolStats,
} from '../telemetry/figures.ts';
import { type RecentFigures, recentFigures } from '../telemetry/recent-window.ts';
import type { ShardFigures } from '../telemetry/shard-figures.ts';
import { dataFlowOfAll, most, pressureOfAll, ringOfAll } from './added-up.ts';
import type { AdminContext, RingFigures } from './admin-context.ts';
import type { InstanceReport } from './instance-report.ts';

/** Whose it is. */
interface OfInstance {
  process: number;
}

/** The answer of `GET /api/websocket/stats`: ConnectionStats at the top, everything else beside it. */
export interface StatisticsAnswer extends ConnectionStats {
  version: string;
  /** ms; of several instances, of the one that has run the longest. */
  uptime: number;
  pool: PoolStats;
  delivery: DeliveryAccount;
  latency: Latencies;
  /** Over the last minute. */
  rates: Omit<RecentFigures, 'latency' | 'deliveries'>;
  shards: (ShardFigures & OfInstance)[];
  ring: RingFigures;
  dataFlow: ReturnType<AdminContext['dataFlow']>;
  sources: (ReturnType<AdminContext['sources']>[number] & OfInstance)[];
  memoryPressure: ReturnType<AdminContext['pressure']>;
  /** ms since the epoch. */
  timestamp: number;
}

/**
 * The figures of all the reports together.
 * @param reports at least one, that of the instance that answers first
 * @param closeRows the close-code table, in the order in which the blocks count
 */
export function statistics(reports: readonly InstanceReport[], closeRows: readonly CloseRow[]): StatisticsAnswer {
  const { takenMs, version } = reports[0] as InstanceReport;
  const figures = reports.map((report) => report.figures);
  const blocks = blocksOf(figures);
  const recent = recentFigures(figures.map(({ rise }) => rise));
  return {
    ...connectionStats(figures, takenMs),
    version,
    uptime: most(reports, ({ uptimeMs }) => uptimeMs),
    pool: poolStats(figures, closeRows, recent),
    delivery: deliveryAccount(blocks),
    latency: latencies(blocks, recent),
    rates: ratesOf(recent),
    shards: reports.flatMap(({ instance, shards }) => shards.map((shard) => ofInstance(instance, shard))),
    ring: ringOfAll(reports.map(({ ring }) => ring)),
    dataFlow: dataFlowOfAll(reports.map(({ dataFlow }) => dataFlow)),
    sources: reports.flatMap(({ instance, sources }) => sources.map((source) => ofInstance(instance, source))),
    memoryPressure: pressureOfAll(reports.map(({ pressure }) => pressure)),
    timestamp: takenMs,
  };
}

function ofInstance<T>({ process }: OfInstance, figures: T): T & OfInstance {
  return { process, ...figures };
}

function ratesOf({ latency: _latency, deliveries: _deliveries, ...rates }: RecentFigures): StatisticsAnswer['rates'] {
  const rounded = Object.entries(rates).map(([name, value]) => [name, Math.round(value * 10_000) / 10_000]);
  return Object.fromEntries(rounded) as typeof rates;
}

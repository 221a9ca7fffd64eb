import type { Aggregator, ConnectionStats, Latencies, PoolStats } from '../telemetry/aggregator.ts';
import type { DeliveryAccount } from '../telemetry/delivery-account.ts';
import type { RecentFigures } from '../telemetry/recent-window.ts';
import { type ShardFigures, shardFigures } from '../telemetry/shard-figures.ts';
import type { AdminContext, RingFigures } from './admin-context.ts';

/** The answer of `GET /api/websocket/stats`: ConnectionStats at the top, everything else beside it. */
export interface StatisticsAnswer extends ConnectionStats {
  version: string;
  /** ms. */
  uptime: number;
  pool: PoolStats;
  delivery: DeliveryAccount;
  latency: Latencies;
  /** Over the last minute. */
  rates: Omit<RecentFigures, 'latency' | 'deliveries'>;
  shards: ShardFigures[];
  ring: RingFigures;
  dataFlow: ReturnType<AdminContext['dataFlow']>;
  sources: ReturnType<AdminContext['sources']>;
  memoryPressure: ReturnType<AdminContext['pressure']>;
  /** ms since the epoch. */
  timestamp: number;
}

export function statistics(context: AdminContext, aggregator: Aggregator): StatisticsAnswer {
  const recent = aggregator.recent();
  const { latency: _latency, deliveries: _deliveries, ...rates } = recent;
  const rounded = Object.entries(rates).map(([name, value]) => [name, Math.round(value * 10_000) / 10_000]);
  return {
    ...aggregator.connectionStats(),
    version: context.version,
    uptime: aggregator.uptimeMs(),
    pool: aggregator.poolStats(recent),
    delivery: aggregator.deliveryAccount(),
    latency: aggregator.latencies(recent),
    rates: Object.fromEntries(rounded) as typeof rates,
    shards: shardFigures(context),
    ring: context.ring(),
    dataFlow: context.dataFlow(),
    sources: context.sources(),
    memoryPressure: context.pressure(),
    timestamp: Date.now(),
  };
}

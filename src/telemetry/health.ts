import type { AdminContext } from '../admin/admin-context.ts';
import type { Aggregator } from './aggregator.ts';
import type { Alert } from './alerts.ts';
import { type HealthFigure, healthFigures } from './health-figures.ts';
import type { RecentFigures } from './recent-window.ts';

export type HealthLevel = 'healthy' | 'degraded' | 'unhealthy';

export interface HealthStatus {
  status: HealthLevel;
  /** Open ones. */
  connections: number;
  /** ms. */
  uptime: number;
  lastError?: { message: string; timestamp: number };
  performance: {
    /** ms, over the last minute. */
    avgLatency: number;
    /** Resident memory, MiB. */
    memoryUsage: number;
    /** Percent of one core, over the last minute. */
    cpuUsage: number;
  };
  /** Why the status is not healthy; empty when it is. */
  reasons: HealthReason[];
  /** Those that are pending or firing; empty when all is well. */
  alerts: readonly Alert[];
}

export interface HealthReason {
  check:
    | 'running'
    | 'shards'
    | 'crashLoop'
    | 'sources'
    | 'latencyMs'
    | 'errorRate'
    | 'memoryMb'
    | 'memoryPressure'
    | 'connections'
    | 'instances';
  /**
   * What was found. For shards, crashLoop, sources and instances: how many are not as they should be; for running: 0, where 1
   * is due; for memoryPressure: the stage.
   */
  value: number;
  /** What the value has gone over; for running what it has to be. */
  threshold: number;
  level: Exclude<HealthLevel, 'healthy'>;
}

/** A shard turns once a second even when there is nothing to do; one that has not for so long hangs. */
export const SHARD_SILENT_MS = 5_000;

/** How the gateway is at this moment. The status is the worst level among the reasons. */
export function assessHealth(
  context: AdminContext,
  aggregator: Aggregator,
  recent: RecentFigures = aggregator.recent(),
): HealthStatus {
  const figures = healthFigures(context, aggregator, recent);
  const reasons = [
    runningReason(context),
    shardReason(context, aggregator.nowMs()),
    crashLoopReason(context),
    sourceReason(context),
    over('latencyMs', figures.latencyMs),
    over('errorRate', figures.errorRate),
    over('memoryMb', figures.memoryMb),
    over('memoryPressure', figures.memoryPressure),
    over('connections', figures.connections),
  ].filter((reason) => reason !== undefined);
  const lastError = context.lastError();
  return {
    status: worst(reasons),
    connections: aggregator.activeConnections(),
    uptime: aggregator.uptimeMs(),
    ...(lastError === undefined ? {} : { lastError }),
    performance: {
      avgLatency: recent.latency.averageMs,
      memoryUsage: figures.memoryMb?.value ?? aggregator.memoryMb(),
      cpuUsage: Math.round(recent.cpuPercent * 10) / 10,
    },
    reasons,
    alerts: context.alerts(),
  };
}

function worst(reasons: readonly HealthReason[]): HealthLevel {
  if (reasons.some(({ level }) => level === 'unhealthy')) return 'unhealthy';
  return reasons.length > 0 ? 'degraded' : 'healthy';
}

function runningReason(context: AdminContext): HealthReason | undefined {
  return context.running() ? undefined : { check: 'running', value: 0, threshold: 1, level: 'unhealthy' };
}

function shardReason(context: AdminContext, nowMs: number): HealthReason | undefined {
  const shards = context.shards();
  const blocks = context.blocks();
  const isSilent = (heartbeatMs = 0) => heartbeatMs > 0 && nowMs - heartbeatMs > SHARD_SILENT_MS;
  const down = shards.filter(
    ({ index, status }) => status !== 'running' || isSilent(blocks[index]?.get('heartbeatMs')),
  );
  if (down.length === 0) return undefined;
  const level = down.length === shards.length ? 'unhealthy' : 'degraded';
  return { check: 'shards', value: down.length, threshold: 0, level };
}

function crashLoopReason(context: AdminContext): HealthReason | undefined {
  const looping = context.shards().filter(({ crashLooping }) => crashLooping).length;
  return looping === 0 ? undefined : { check: 'crashLoop', value: looping, threshold: 0, level: 'unhealthy' };
}

function sourceReason(context: AdminContext): HealthReason | undefined {
  const failed = context.sources().filter(({ status }) => status === 'failed').length;
  return failed === 0 ? undefined : { check: 'sources', value: failed, threshold: 0, level: 'degraded' };
}

function over(check: HealthReason['check'], figure: HealthFigure | undefined): HealthReason | undefined {
  if (figure === undefined) return undefined;
  const { value, degraded, unhealthy } = figure;
  if (value > unhealthy) return { check, value, threshold: unhealthy, level: 'unhealthy' };
  return value > degraded ? { check, value, threshold: degraded, level: 'degraded' } : undefined;
}

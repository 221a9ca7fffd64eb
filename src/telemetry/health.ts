import type { AdminContext } from '../admin/admin-context.ts';
import type { Aggregator } from './aggregator.ts';
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

/** Over `degraded` is degraded, over `unhealthy` is unhealthy. */
export const HEALTH_THRESHOLDS = {
  latencyMs: { degraded: 15, unhealthy: 30 },
  errorRate: { degraded: 0.01, unhealthy: 0.05 },
  /** Share of memory.thresholdMb. */
  memoryShare: { degraded: 0.8, unhealthy: Number.POSITIVE_INFINITY },
  /** Of telemetry/pressure-stages.ts: something is done against it; new connections are refused. */
  pressureStage: { degraded: 0, unhealthy: 3 },
  /** Share of limits.connections. */
  connectionShare: { degraded: 0.9, unhealthy: Number.POSITIVE_INFINITY },
} as const;

/** An average over fewer deliveries is one page's luck, not the gateway's health. */
export const LATENCY_DELIVERIES_MIN = 20;

/** A shard turns once a second even when there is nothing to do; one that has not for so long hangs. */
export const SHARD_SILENT_MS = 5_000;

interface Thresholds {
  readonly degraded: number;
  readonly unhealthy: number;
}

/** How the gateway is at this moment. The status is the worst level among the reasons. */
export function assessHealth(
  context: AdminContext,
  aggregator: Aggregator,
  recent: RecentFigures = aggregator.recent(),
): HealthStatus {
  const connections = aggregator.activeConnections();
  const memoryMb = aggregator.memoryMb();
  const reasons = [
    runningReason(context),
    shardReason(context, aggregator.nowMs()),
    crashLoopReason(context),
    sourceReason(context),
    latencyReason(context, recent),
    over('errorRate', recent.errorRate, HEALTH_THRESHOLDS.errorRate),
    shareReason('memoryMb', memoryMb, context.config.memory.thresholdMb, HEALTH_THRESHOLDS.memoryShare),
    over('memoryPressure', context.pressure().stage, HEALTH_THRESHOLDS.pressureStage),
    shareReason('connections', connections, context.config.limits.connections, HEALTH_THRESHOLDS.connectionShare),
  ].filter((reason) => reason !== undefined);
  const lastError = context.lastError();
  return {
    status: worst(reasons),
    connections,
    uptime: aggregator.uptimeMs(),
    ...(lastError === undefined ? {} : { lastError }),
    performance: {
      avgLatency: recent.latency.averageMs,
      memoryUsage: memoryMb,
      cpuUsage: Math.round(recent.cpuPercent * 10) / 10,
    },
    reasons,
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

function latencyReason({ config }: AdminContext, { latency }: RecentFigures): HealthReason | undefined {
  if (latency.count < LATENCY_DELIVERIES_MIN) return undefined;
  const { degraded, unhealthy } = HEALTH_THRESHOLDS.latencyMs;
  // A fixed batch waits on purpose: that part of the latency was asked for.
  const wantedMs = config.batch.mode === 'fixed' ? config.batch.maxDelayMs : 0;
  return over('latencyMs', latency.averageMs, { degraded: degraded + wantedMs, unhealthy: unhealthy + wantedMs });
}

/** @param limit 0 means none, and nothing to judge */
function shareReason(
  check: HealthReason['check'],
  value: number,
  limit: number,
  { degraded, unhealthy }: Thresholds,
): HealthReason | undefined {
  return limit === 0 ? undefined : over(check, value, { degraded: degraded * limit, unhealthy: unhealthy * limit });
}

function over(
  check: HealthReason['check'],
  value: number,
  { degraded, unhealthy }: Thresholds,
): HealthReason | undefined {
  if (value > unhealthy) return { check, value, threshold: unhealthy, level: 'unhealthy' };
  return value > degraded ? { check, value, threshold: degraded, level: 'degraded' } : undefined;
}

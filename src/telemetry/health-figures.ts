import type { AdminContext } from '../admin/admin-context.ts';
import type { Aggregator } from './aggregator.ts';
import type { RecentFigures } from './recent-window.ts';

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

export interface Thresholds {
  readonly degraded: number;
  readonly unhealthy: number;
}

/** What health and the alerts of the gateway judge, and by what, in the figure's own unit. */
export interface HealthFigure extends Thresholds {
  readonly value: number;
}

/** A figure is missing where there is nothing to judge: too few deliveries, or no limit. */
export interface HealthFigures {
  /** ms, average of the last minute. */
  latencyMs?: HealthFigure | undefined;
  /** 0..1, of the last minute. */
  errorRate: HealthFigure;
  /** MiB. */
  memoryMb?: HealthFigure | undefined;
  /** Stage of telemetry/pressure-stages.ts. */
  memoryPressure: HealthFigure;
  /** Open ones. */
  connections?: HealthFigure | undefined;
}

export function healthFigures(context: AdminContext, aggregator: Aggregator, recent: RecentFigures): HealthFigures {
  const { memory, limits } = context.config;
  return {
    latencyMs: latencyFigure(context, recent),
    errorRate: { value: recent.errorRate, ...HEALTH_THRESHOLDS.errorRate },
    memoryMb: shareOf(memory.thresholdMb, aggregator.memoryMb(), HEALTH_THRESHOLDS.memoryShare),
    memoryPressure: { value: context.pressure().stage, ...HEALTH_THRESHOLDS.pressureStage },
    connections: shareOf(limits.connections, aggregator.activeConnections(), HEALTH_THRESHOLDS.connectionShare),
  };
}

/** A fixed batch waits on purpose: that part of the latency was asked for, and comes on top of what is allowed. ms. */
export function latencyAllowanceMs({ batch }: AdminContext['config']): number {
  return batch.mode === 'fixed' ? batch.maxDelayMs : 0;
}

function latencyFigure({ config }: AdminContext, { latency }: RecentFigures): HealthFigure | undefined {
  if (latency.count < LATENCY_DELIVERIES_MIN) return undefined;
  const { degraded, unhealthy } = HEALTH_THRESHOLDS.latencyMs;
  const allowanceMs = latencyAllowanceMs(config);
  return { value: latency.averageMs, degraded: degraded + allowanceMs, unhealthy: unhealthy + allowanceMs };
}

/** @param limit 0 means none, and nothing to judge */
function shareOf(limit: number, value: number, { degraded, unhealthy }: Thresholds): HealthFigure | undefined {
  return limit === 0 ? undefined : { value, degraded: degraded * limit, unhealthy: unhealthy * limit };
}

import type { HealthFigures } from './health-figures.ts';

export type AlertSeverity = 'warning' | 'critical';

/**
 * An alert that the gateway raises by itself. Its twin in config/prometheus/alerts.yml has the same name, severity,
 * threshold and times, so that both tell the same story; the thresholds are those of health.
 */
export interface AlertRule {
  readonly name: string;
  readonly severity: AlertSeverity;
  /** What it watches: over `degraded` is a warning, over `unhealthy` is critical. */
  readonly figure: keyof HealthFigures;
  /** How long the figure has to stay over the threshold, ms. */
  readonly forMs: number;
  /** One sentence with the figures in it, for a reader who knows nothing else. */
  summary(value: number, threshold: number): string;
}

/** A firing alert ends when the figure has not been over the threshold for so long: at its edge it does not flap. */
export const KEEP_FIRING_MS = 60_000;

const WARNING_AFTER_MS = 60_000;
const CRITICAL_AFTER_MS = 30_000;

const warning = { severity: 'warning', forMs: WARNING_AFTER_MS } as const;
const critical = { severity: 'critical', forMs: CRITICAL_AFTER_MS } as const;

const latency = {
  name: 'TickcastLatencyHigh',
  figure: 'latencyMs',
  summary: (value: number, threshold: number) =>
    `Average delivery latency of the last minute: ${short(value)} ms; limit ${short(threshold)} ms`,
} as const;
const errors = {
  name: 'TickcastErrorRateHigh',
  figure: 'errorRate',
  summary: (value: number, threshold: number) =>
    `Error rate of the last minute: ${short(100 * value)} %; limit ${short(100 * threshold)} %`,
} as const;
const memory = {
  name: 'TickcastMemoryHigh',
  figure: 'memoryMb',
  summary: (value: number, threshold: number) =>
    `Resident memory: ${short(value)} MiB; limit ${short(threshold)} MiB, a share of memory.thresholdMb`,
} as const;
const connections = {
  name: 'TickcastConnectionsHigh',
  figure: 'connections',
  summary: (value: number, threshold: number) =>
    `Open connections: ${value}; limit ${short(threshold)}, a share of limits.connections`,
} as const;

export const ALERT_RULES: readonly AlertRule[] = [
  { ...latency, ...warning },
  { ...latency, ...critical },
  { ...errors, ...warning },
  { ...errors, ...critical },
  { ...memory, ...warning },
  { ...connections, ...warning },
];

function short(value: number): number {
  return Math.round(value * 10) / 10;
}

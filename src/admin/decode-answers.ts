import { z } from 'zod';
import type { ConnectionRow } from './admin-context.ts';
import type { ConnectionsAnswer, FlushAnswer, MetricsAnswer } from './instance-answers.ts';

/**
 * What another instance has answered: this gateway's own program, perhaps in another version. What the shapes do not tell
 * of passes through. Each function throws a ZodError for what is not of its shape.
 */
const SHARDS = z.array(z.number());
const CONNECTIONS = z.object({
  connections: z.array(z.looseObject({ id: z.string() })),
  total: z.number(),
  silentShards: SHARDS,
});
const FLUSH = z.object({ flushed: z.number(), silentShards: SHARDS });
const SAMPLE = z.object({
  value: z.number(),
  labels: z.record(z.string(), z.union([z.string(), z.number()])),
  metricName: z.string().optional(),
});
const METRIC = z.object({
  name: z.string(),
  help: z.string(),
  type: z.string(),
  aggregator: z.enum(['omit', 'sum', 'first', 'min', 'max', 'average']),
  values: z.array(SAMPLE),
});
const METRICS = z.object({ health: z.enum(['healthy', 'degraded', 'unhealthy']), metrics: z.array(METRIC) });

export function decodeMetrics(json: unknown): MetricsAnswer {
  return METRICS.parse(json) as MetricsAnswer;
}

export function decodeConnections(json: unknown): ConnectionsAnswer {
  const { connections, ...rest } = CONNECTIONS.parse(json);
  return { ...rest, connections: connections as unknown as ConnectionRow[] };
}

export function decodeFlush(json: unknown): FlushAnswer {
  return FLUSH.parse(json);
}

import type { AdminContext } from '../admin/admin-context.ts';
import type { Aggregator } from './aggregator.ts';
import type { Logger } from './logger.ts';
import { shardFigures } from './shard-figures.ts';

/** Writes the line `Performance metrics` at INFO, each log.performanceIntervalMs; 0 means never. */
export class PerformanceLog {
  readonly #context: AdminContext;
  readonly #aggregator: Aggregator;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: AdminContext, aggregator: Aggregator, log: Logger) {
    this.#context = context;
    this.#aggregator = aggregator;
    this.#log = log;
  }

  start(): void {
    const intervalMs = this.#context.config.log.performanceIntervalMs;
    if (intervalMs === 0 || this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.write(), intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Writes the line now. Rates and latencies are those of the last minute. */
  write(): void {
    const aggregator = this.#aggregator;
    const recent = aggregator.recent();
    const { activeConnections, totalSubscriptions, errorsEncountered } = aggregator.connectionStats();
    const shards = shardFigures(this.#context);
    this.#log.info(
      {
        connections: activeConnections,
        subscriptions: totalSubscriptions,
        errors: errorsEncountered,
        messagesPerSecond: Math.round(recent.messagesPerSecond),
        bytesPerSecond: Math.round(recent.bytesPerSecond),
        publicationsPerSecond: Math.round(recent.publicationsPerSecond),
        latency: recent.latency,
        memoryMb: aggregator.memoryMb(),
        cpuPercent: Math.round(recent.cpuPercent * 10) / 10,
        shards: shards.map(({ index, status, connections, loopUtilization, lapped }) => ({
          index,
          status,
          connections,
          loopUtilization: Math.round(loopUtilization * 1_000) / 1_000,
          lapped,
        })),
      },
      'Performance metrics',
    );
  }
}

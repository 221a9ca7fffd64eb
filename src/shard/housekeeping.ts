import { type EventLoopUtilization, monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { ConnectionPoolManager } from '../batch/connection-pool-manager.ts';
import type { Compression } from '../compression/compression.ts';
import type { WebSocketProxy } from '../connection/websocket-proxy.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { TopicDirectoryReader } from '../ring/topic-directory.ts';
import type { SubscriptionManager } from '../subscription/subscription-manager.ts';
import type { Logger } from '../telemetry/logger.ts';
import { PHASE } from '../telemetry/shard-phases.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { followSteps } from '../util/clock.ts';
import { collectGarbage } from '../util/collect-garbage.ts';
import { Exodus } from './exodus.ts';
import { Influx } from './influx.ts';

export interface HousekeepingParts {
  statistics: StatisticsBlock;
  subscriptions: SubscriptionManager;
  directory: TopicDirectoryReader;
  proxy: WebSocketProxy;
  delivery: Pick<Delivery, 'sweep'>;
  compression: Pick<Compression, 'sweep'> | undefined;
  pool: Pick<ConnectionPoolManager, 'ease'>;
  log: Logger;
}

const INTERVAL_MS = 1_000;
/** How finely the delay of the event loop is sampled, ms; each sample is a wake-up of an idle thread. */
const DELAY_RESOLUTION_MS = 50;

/** Once a second: writes the gauges of a shard into its statistics block. */
export class Housekeeping {
  readonly #parts: HousekeepingParts;
  readonly #delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();
  readonly #exodus = new Exodus();
  readonly #influx = new Influx();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#delay.enable();
    this.report();
    this.#timer = setInterval(() => this.report(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  report(): void {
    const { statistics, subscriptions, directory, proxy, delivery, compression, pool } = this.#parts;
    statistics.set('phase', PHASE.housekeeping);
    followSteps();
    delivery.sweep();
    compression?.sweep(performance.now());
    pool.ease();
    const utilization = performance.eventLoopUtilization();
    const busy = performance.eventLoopUtilization(utilization, this.#utilization).utilization;
    statistics.set('loopUtilization', busy);
    this.#utilization = utilization;
    // Both are asked: each has to know of every second.
    const [hasGone, hasCome] = [this.#exodus.isOver(proxy.size, busy), this.#influx.isOver(proxy.size, busy)];
    if (hasGone || hasCome) this.#collect();
    // Samples hold the resolution and what came on top of it.
    const delayUs = this.#delay.count === 0 ? 0 : this.#delay.percentile(99) / 1000 - DELAY_RESOLUTION_MS * 1000;
    statistics.set('loopDelayP99Us', Math.max(0, delayUs));
    this.#delay.reset();
    statistics.set('heapUsedBytes', getHeapStatistics().used_heap_size);
    statistics.set('cpuUs', threadCpuUs());
    statistics.set('cohorts', subscriptions.cohortCount);
    statistics.set('topicsKnown', directory.count());
    statistics.set('pendingBytes', proxy.pendingBytes());
    statistics.set('phase', PHASE.idle);
  }

  #collect(): void {
    const tookMs = Math.round(collectGarbage());
    this.#parts.log.debug(
      { tookMs, heapUsedBytes: getHeapStatistics().used_heap_size },
      'WebSocket shard gave memory back',
    );
  }
}

/** CPU time of this thread, µs; 0 on a Node that cannot tell (before 22.19 and 23.9). */
function threadCpuUs(): number {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } };
  if (threadCpuUsage === undefined) return 0;
  const { user, system } = threadCpuUsage.call(process);
  return user + system;
}

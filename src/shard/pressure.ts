import type { ConnectionPoolManager } from '../batch/connection-pool-manager.ts';
import type { WebSocketProxy } from '../connection/websocket-proxy.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type PressureStage, STAGE_OF } from '../telemetry/pressure-stages.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { collectGarbage } from '../util/collect-garbage.ts';
import type { DutyCycle } from './duty-cycle.ts';

export interface PressureParts {
  duty: Pick<DutyCycle, 'flush'>;
  pool: Pick<ConnectionPoolManager, 'trim'>;
  proxy: Pick<WebSocketProxy, 'refuse'>;
  /** Lowers what may wait for a slow connection, or puts it back. */
  conflateHarder: (harder: boolean) => void;
  /** Closes the connections that hold most; returns how many. */
  closeSlowest: () => number;
  statistics: StatisticsBlock;
  log: Logger;
  /** Collects this thread's garbage; returns how long that took, ms. */
  collect?: () => number;
}

/** What a shard does when the primary says that the process holds too much memory. */
export class Pressure {
  readonly #parts: PressureParts;
  #stage: PressureStage = 0;

  constructor(parts: PressureParts) {
    this.#parts = parts;
  }

  /** Takes the steps of the stage, or ends those of an earlier one. With the stage that it has, what can be repeated is. */
  enter(stage: PressureStage): void {
    const { conflateHarder, proxy } = this.#parts;
    const before = this.#stage;
    this.#stage = stage;
    if (changes(before, stage, STAGE_OF.conflate)) conflateHarder(stage >= STAGE_OF.conflate);
    if (changes(before, stage, STAGE_OF.refuse)) proxy.refuse(stage >= STAGE_OF.refuse);
    if (stage >= STAGE_OF.shed) this.#shed();
    if (stage >= STAGE_OF.trim) this.#trim(stage > before);
  }

  #shed(): void {
    const { closeSlowest, statistics, log } = this.#parts;
    const closed = closeSlowest();
    if (closed === 0) return;
    statistics.add('shedConnections', closed);
    log.warn({ closed }, 'WebSocket memory pressure: slowest connections closed');
  }

  /** @param collects stops the thread for some 40 ms, so once a stage is enough */
  #trim(collects: boolean): void {
    const { duty, pool, collect = collectGarbage, log } = this.#parts;
    duty.flush();
    const trimmedBytes = pool.trim();
    const collectMs = collects ? Math.round(collect()) : 0;
    log.debug({ stage: this.#stage, trimmedBytes, collectMs }, 'WebSocket memory pressure: memory given back');
  }
}

/** Whether a step that is in force from `from` on begins or ends. */
function changes(before: PressureStage, after: PressureStage, from: PressureStage): boolean {
  return before >= from !== after >= from;
}

import type { StatisticsBlock } from '../telemetry/statistics-block.ts';

export interface PulseParts {
  statistics: StatisticsBlock;
  /** From `lookIntervalMs`. */
  intervalMs: number;
  /** Whoever has to look after something else as often. */
  look: () => void;
}

/** Shows, also while there is nothing to deliver, that the shard's event loop turns: the supervisor looks whether it does. */
export class Pulse {
  readonly #parts: PulseParts;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: PulseParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#beat();
    this.#timer = setInterval(() => this.#beat(), this.#parts.intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    const { statistics, look } = this.#parts;
    statistics.set('heartbeatMs', Date.now());
    look();
  }
}

import type { PrimaryPulse } from '../control/primary-pulse.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { Silence } from '../util/silence.ts';

export interface PrimaryWatchParts {
  pulse: PrimaryPulse;
  /** Time from look to look, ms. */
  intervalMs: number;
  /** `supervisor.primarySilentMs`; 0: never. */
  limitMs: number;
  /** The process is the gateway's alone, and may be ended. Otherwise the silence is logged, once there is somebody to log it. */
  ownsProcess: boolean;
  statistics: StatisticsBlock;
  log: Logger;
  /** Nobody will answer for a while: what waits for the primary is told so. */
  abandon: () => void;
  /** Where the primary is, see thread-stack.ts. */
  stack: () => Promise<string[]>;
  /** Writes a line past the primary, in bounded time. */
  lastWords: (fields: Record<string, unknown>, message: string) => Promise<void>;
  /** Ends the process at once. */
  kill: () => void;
}

/** From here on the primary is not asked any more, ms; earlier where `primarySilentMs` is shorter. */
const SILENT_MS = 5_000;
/** The shard that acts may itself come to grief: after this long another one ends the process without a word. */
const TAKE_OVER_MS = 5_000;

/**
 * Looks whether the primary's event loop turns. Runs on every shard, whose requests it answers; the first to notice a
 * silence that is too long says so and ends the process, for the process manager to replace.
 */
export class PrimaryWatch {
  readonly #parts: PrimaryWatchParts;
  readonly #silence: Silence;
  readonly #silentFromMs: number;
  #silentMs = 0;
  #hasClaim = false;

  constructor(parts: PrimaryWatchParts) {
    this.#parts = parts;
    this.#silence = new Silence(parts.intervalMs);
    this.#silentFromMs = parts.limitMs === 0 ? SILENT_MS : Math.min(SILENT_MS, parts.limitMs / 2);
  }

  /** How long the primary has been silent, ms; 0 while it may be asked. */
  get silentMs(): number {
    return this.#silentMs >= this.#silentFromMs ? this.#silentMs : 0;
  }

  /** Call each `intervalMs`. */
  look(): void {
    const { pulse, statistics, abandon, limitMs } = this.#parts;
    const before = this.silentMs;
    if (pulse.isDebugged) this.#silence.reset();
    this.#silentMs = this.#silence.look(pulse.beats);
    if (before === 0 && this.silentMs > 0) {
      statistics.add('primarySilences');
      abandon();
    }
    if (this.#silentMs === 0) this.#release();
    if (limitMs > 0 && this.#silentMs >= limitMs) this.#act();
  }

  #release(): void {
    if (this.#hasClaim) this.#parts.pulse.release();
    this.#hasClaim = false;
  }

  #act(): void {
    const { pulse, ownsProcess, limitMs, kill } = this.#parts;
    if (!this.#hasClaim && pulse.claim()) {
      this.#hasClaim = true;
      void this.#report();
    } else if (ownsProcess && this.#silentMs >= limitMs + TAKE_OVER_MS) {
      kill();
    }
  }

  async #report(): Promise<void> {
    const { pulse, ownsProcess, log, stack, lastWords, kill } = this.#parts;
    const { beats } = pulse;
    const fields = { silentMs: this.#silentMs, stack: await stack() };
    if (!ownsProcess) return log.error(fields, 'WebSocket primary hung');
    // It may have come round while its stack was read.
    if (pulse.beats !== beats) return log.warn(fields, 'WebSocket primary hung, and turns again');
    await lastWords(fields, 'WebSocket primary hung');
    kill();
  }
}

import type { NumberingEvents, NumberingHole, NumberingName } from '../frame/numbering.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ToShard } from './messages.ts';

export interface NumberingNoticesParts {
  /** Tells all shards. */
  tell: (message: Extract<ToShard, { kind: 'numbering' | 'hole' }>) => void;
  log: Logger;
}

/** Least time between two notices of holes, ms: a feed may be full of them, and every client is told of each. */
const HOLES_INTERVAL_MS = 1_000;

/**
 * Tells operators and clients what becomes of the numbering: another name, and holes; of these the first at once and those
 * that come close behind as one, from the first number to the last. Runs on the primary thread.
 */
export class NumberingNotices implements NumberingEvents {
  readonly #parts: NumberingNoticesParts;
  #pending: NumberingHole | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: NumberingNoticesParts) {
    this.#parts = parts;
  }

  renamed(numbering: NumberingName, why: string): void {
    const { log, tell } = this.#parts;
    const { epoch, shared } = numbering;
    if (epoch === shared) log.info({ epoch }, 'Publications are numbered by their source');
    else log.warn({ epoch, why }, 'Numbering has another epoch');
    tell({ kind: 'numbering', numbering });
  }

  hole({ fromSeq, toSeq }: NumberingHole): void {
    this.#pending = { fromSeq: this.#pending?.fromSeq ?? fromSeq, toSeq };
    if (this.#timer === undefined) this.#next();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #next = (): void => {
    const hole = this.#pending;
    this.#pending = undefined;
    this.#timer = undefined;
    if (hole === undefined) return;
    this.#parts.log.warn({ ...hole }, 'Publications of the source may be missing');
    this.#parts.tell({ kind: 'hole', hole });
    this.#timer = setTimeout(this.#next, HOLES_INTERVAL_MS);
  };
}

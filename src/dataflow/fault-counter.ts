import type { Logger } from '../telemetry/logger.ts';
import type { ErrorCode } from '../util/errors.ts';

/** Shortest time between two log lines about the same error code. */
const LOG_INTERVAL_MS = 1_000;

interface FaultRow {
  count: number;
  loggedAtMs: number;
  unlogged: number;
}

/**
 * Counts what goes wrong, by error code, and logs it: the first of a kind at once, a flood at one line a second that says
 * how many it stands for. No timer: what a flood's end leaves unlogged is in the counters.
 */
export class FaultCounter {
  readonly #rows = new Map<ErrorCode, FaultRow>();
  readonly #logger: Logger | undefined;
  #total = 0;

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
  }

  get total(): number {
    return this.#total;
  }

  /** Errors by code; codes that never happened are absent. */
  byCode(): Partial<Record<ErrorCode, number>> {
    return Object.fromEntries([...this.#rows].map(([code, row]) => [code, row.count]));
  }

  /** @param fields of the log line, beside the code and the number of faults it stands for */
  count(code: ErrorCode, level: 'warn' | 'error', message: string, fields: Record<string, unknown>): void {
    this.#total++;
    const row = this.#row(code);
    row.count++;
    row.unlogged++;
    if (this.#logger === undefined) return;
    const now = performance.now();
    if (now - row.loggedAtMs < LOG_INTERVAL_MS) return;
    this.#logger[level]({ code, count: row.unlogged, ...fields }, message);
    row.loggedAtMs = now;
    row.unlogged = 0;
  }

  #row(code: ErrorCode): FaultRow {
    let row = this.#rows.get(code);
    if (row === undefined) {
      row = { count: 0, loggedAtMs: Number.NEGATIVE_INFINITY, unlogged: 0 };
      this.#rows.set(code, row);
    }
    return row;
  }
}

import type { Logger } from '../telemetry/logger.ts';

/** Problems that are logged one by one before they are only counted. */
const IN_FULL = 10;

/** Time between two summaries, ms. */
const SUMMARY_INTERVAL_MS = 10_000;

interface Problem {
  code: string;
  message: string;
  detail?: Record<string, unknown>;
}

/**
 * Logs what a source could not use without letting it fill the log: the first few in full, then a count every ten seconds.
 * When ten seconds have passed without any, the next ones are told in full again.
 */
export class RejectLog {
  readonly #source: string;
  readonly #logger: Logger;
  #inFull = 0;
  #counted = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: string, logger: Logger) {
    this.#source = source;
    this.#logger = logger;
  }

  add(problem: Problem): void {
    this.#timer ??= setInterval(() => this.#summarise(), SUMMARY_INTERVAL_MS).unref();
    if (this.#inFull < IN_FULL) {
      this.#inFull++;
      this.#logger.warn({ ...problem.detail, source: this.#source, code: problem.code }, problem.message);
    } else {
      this.#counted++;
    }
  }

  /** Logs what has been counted and ends the timer. */
  close(): void {
    if (this.#counted > 0) this.#summarise();
    this.#rest();
  }

  #summarise(): void {
    if (this.#counted === 0) {
      this.#rest();
      return;
    }
    const fields = { source: this.#source, rejected: this.#counted, intervalMs: SUMMARY_INTERVAL_MS };
    this.#counted = 0;
    this.#logger.warn(fields, 'Source input rejected');
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#inFull = 0;
  }
}

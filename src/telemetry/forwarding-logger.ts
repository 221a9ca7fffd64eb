import type { Logger, LogLevel, LogMethod } from './logger.ts';
import { isLogged } from './logger-levels.ts';

/** A line on its way to the primary. Plain data, ready to be posted: errors among the fields are taken apart. */
export interface ForwardedLine {
  level: LogLevel;
  fields: Record<string, unknown>;
  message: string;
}

export interface ForwardingOptions {
  /** Least level that is handed on. */
  level: LogLevel | 'silent';
  send: (line: ForwardedLine) => void;
  /** Lines a second; what is more is counted and told as one line when the second is over. Fatal ones always pass. */
  linesPerSecond?: number;
  /** Counts what was left out, once it is told. */
  countSuppressed?: (lines: number) => void;
}

/** Enough for a reader to see what is going on; a shard that logs more is kept from flooding the primary. */
export const FORWARDED_LINES_PER_SECOND = 200;

/** The logger of a shard's thread. What the level keeps out costs one call of an empty function. */
export function createForwardingLogger(options: ForwardingOptions): Logger {
  const budget = new LineBudget(options.linesPerSecond ?? FORWARDED_LINES_PER_SECOND, (suppressed) => {
    options.countSuppressed?.(suppressed);
    options.send({ level: 'warn', fields: { suppressed }, message: `${suppressed} log lines suppressed` });
  });
  const method = (level: LogLevel): LogMethod => {
    if (!isLogged(level, options.level)) return () => {};
    return (fields, message) => {
      if (budget.take() || level === 'fatal') options.send({ level, fields: plainFields(fields), message });
    };
  };
  return {
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
  };
}

const SECOND_MS = 1_000;

/** So many a second, from the first one on. No timer runs while there is nothing to report. */
class LineBudget {
  readonly #linesMax: number;
  readonly #report: (suppressed: number) => void;
  #beganMs = Number.NEGATIVE_INFINITY;
  #taken = 0;
  #suppressed = 0;

  constructor(linesMax: number, report: (suppressed: number) => void) {
    this.#linesMax = linesMax;
    this.#report = report;
  }

  /** False when the second has had its lines. */
  take(): boolean {
    const nowMs = performance.now();
    // While something waits to be reported, the timer ends the second: the report comes before the next line.
    if (nowMs - this.#beganMs >= SECOND_MS && this.#suppressed === 0) this.#begin(nowMs);
    if (this.#taken < this.#linesMax) {
      this.#taken++;
      return true;
    }
    if (this.#suppressed++ === 0) this.#reportAfter(this.#beganMs + SECOND_MS - nowMs);
    return false;
  }

  #begin(nowMs: number): void {
    this.#beganMs = nowMs;
    this.#taken = 0;
    this.#suppressed = 0;
  }

  #reportAfter(delayMs: number): void {
    setTimeout(() => {
      const suppressed = this.#suppressed;
      this.#begin(performance.now());
      this.#report(suppressed);
    }, delayMs).unref();
  }
}

const CAUSES_MAX = 4;
const DEPTH_MAX = 4;

/** Fields that can be posted to another thread, whatever they were. */
function plainFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plain(value, 0)]));
}

function plain(value: unknown, depth: number): unknown {
  if (value instanceof Error) return plainError(value, depth);
  if (typeof value === 'function' || typeof value === 'symbol') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return Array.isArray(value) ? '[…]' : '{…}';
  if (Array.isArray(value)) return value.map((each) => plain(each, depth + 1));
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength} bytes)`;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each, depth + 1)]));
}

/** As pino's serialiser writes an error, so that lines of a shard look like those of the primary. */
function plainError(error: Error & { code?: unknown; detail?: unknown }, depth: number): Record<string, unknown> {
  const cause = error.cause instanceof Error && depth < CAUSES_MAX ? error.cause : undefined;
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(error.code === undefined ? {} : { code: plain(error.code, DEPTH_MAX) }),
    ...(error.detail === undefined ? {} : { detail: plain(error.detail, 1) }),
    ...(cause === undefined ? {} : { cause: plainError(cause, depth + 1) }),
  };
}

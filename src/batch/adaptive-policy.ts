import type { Config } from '../config/schema.ts';
import { DATA_TYPE_NAMES } from '../telemetry/statistics-block.ts';
import type { FlushDecision, FlushPolicy } from './flush-policy.ts';

/** Share of its time that a shard writes, as long as the budget allows it to write as seldom as that takes. */
const BUSY_SHARE = 0.25;
/** Beyond this share it is late rather than busier: the rest is for handshakes, commands and those that are behind. */
const BUSY_SHARE_MAX = 0.8;
/** Periods shorter than this are not worth a timer, which counts in milliseconds. */
const NEGLIGIBLE_MS = 0.75;
/** Weight of the newest pass in the running mean of what one costs. */
const NEWEST = 0.25;
/** Kept free of each budget, ms: how finely a pass reads on, and what a timer is off by. */
const MARGIN_MS = 0.5;
/** How fast the estimate of the 99th percentile of lateness moves, ms. */
const LATE_STEP_MS = 0.25;
const LATE_QUANTILE = 0.99;

/**
 * How often batches are written, from the load and a declared budget. Passes begin a period apart. A member is served once
 * in each, with everything that has come until then, so the period is also the longest that a message waits for its write.
 * While the shard has time to spare there is no period: what comes is written at once. As passes get more costly the period
 * grows, so that writing takes a quarter of the time, up to what the budget leaves when the lateness of passes has been
 * taken off. Beyond that the shard is busier rather than late, as far as four fifths of its time; a load that asks for more than
 * that within the budget is told as an overrun.
 */
export class AdaptivePolicy implements FlushPolicy {
  readonly gathersInRing = true;
  readonly messagesMax: number;
  readonly classes: number;
  readonly #classOf: readonly number[];
  /** Of each class. */
  readonly #budgetsMs: readonly number[];
  readonly #begunMs: number[];
  #costMs = 0;
  #lateMs = 0;

  constructor({ maxMessages, maxDelayMs, targetP99Ms, targetP99MsOf }: AdaptiveOptions) {
    this.messagesMax = maxMessages;
    const own: Partial<Record<string, number>> = targetP99MsOf;
    const budgets = DATA_TYPE_NAMES.map((name) => own[name] || Math.min(targetP99Ms, maxDelayMs + MARGIN_MS));
    this.#budgetsMs = [...new Set(budgets)].sort((a, b) => a - b);
    this.#classOf = budgets.map((budget) => this.#budgetsMs.indexOf(budget));
    this.classes = this.#budgetsMs.length;
    this.#begunMs = this.#budgetsMs.map(() => Number.NEGATIVE_INFINITY);
  }

  get gatherMs(): number {
    return this.#periodMs(0);
  }

  classOf(slot: number): number {
    return slot < 0 ? 0 : (this.#classOf[slot] as number);
  }

  delayMs(flushClass: number, _queuedAtMs: number, nowMs: number): number {
    return (this.#begunMs[flushClass] as number) + this.#periodMs(flushClass) - nowMs;
  }

  /** A running quantile that needs no memory: it rises by what it is to be exceeded seldom, and falls by the rest. */
  cameLate(lateMs: number): void {
    const step = lateMs > this.#lateMs ? LATE_QUANTILE : LATE_QUANTILE - 1;
    this.#lateMs = Math.max(0, this.#lateMs + LATE_STEP_MS * step);
  }

  passed(begunMs: number, costMs: number, served: number): FlushDecision {
    // Reading what nobody wants says nothing about writing.
    if (served !== 0) this.#costMs += (costMs - this.#costMs) * NEWEST;
    for (let flushClass = 0; flushClass < this.classes; flushClass++) {
      if ((served >> flushClass) & 1) this.#begunMs[flushClass] = begunMs;
    }
    return this.#decision();
  }

  #periodMs(flushClass: number): number {
    const seldomMs = Math.min(this.#costMs / BUSY_SHARE, this.#longestMs(flushClass));
    const periodMs = Math.max(seldomMs, this.#costMs / BUSY_SHARE_MAX);
    return periodMs < NEGLIGIBLE_MS ? 0 : periodMs;
  }

  #longestMs(flushClass: number): number {
    return Math.max(0, (this.#budgetsMs[flushClass] as number) - this.#lateMs - MARGIN_MS);
  }

  #decision(): FlushDecision {
    const wantedMs = this.#costMs / BUSY_SHARE;
    if (wantedMs < NEGLIGIBLE_MS) return 'at_once';
    const longestMs = this.#longestMs(0);
    if (wantedMs <= longestMs) return 'load';
    return this.#costMs / BUSY_SHARE_MAX <= longestMs ? 'budget' : 'overrun';
  }
}

type AdaptiveOptions = Pick<Config['batch'], 'maxMessages' | 'maxDelayMs' | 'targetP99Ms' | 'targetP99MsOf'>;

import type { Config } from '../config/schema.ts';

/**
 * When a shard writes its batches out. What decides the cost of fan-out is the number of writes; the time a message waits
 * in a batch is the price of fewer of them.
 */
export interface FlushPolicy {
  /** True: publications are left in the ring until the flush is due, since nothing before it depends on them. */
  readonly gathersInRing: boolean;
  /** A batch with this many frames is flushed without waiting. */
  readonly messagesMax: number;
  /** ms from `nowMs` until a batch that was opened at `openedAtMs` is to be flushed; 0 or less: now. */
  delayMs(openedAtMs: number, nowMs: number): number;
  /** A pass (reading the ring, filling batches, writing them out) took `costMs` and ended at `nowMs`. */
  flushed(costMs: number, nowMs: number): void;
  /** How long a batch gathers at present, ms. */
  readonly gatherMs: number;
}

export function createFlushPolicy(batch: Config['batch']): FlushPolicy {
  return batch.mode === 'fixed'
    ? new FixedPolicy(batch.maxMessages, batch.maxDelayMs)
    : new AdaptivePolicy(batch.maxMessages, batch.maxDelayMs);
}

/** By count or age, whichever comes first. */
export class FixedPolicy implements FlushPolicy {
  readonly gathersInRing = false;
  readonly messagesMax: number;
  readonly gatherMs: number;

  constructor(messagesMax: number, delayMsMax: number) {
    this.messagesMax = messagesMax;
    this.gatherMs = delayMsMax;
  }

  delayMs(openedAtMs: number, nowMs: number): number {
    return openedAtMs + this.gatherMs - nowMs;
  }

  flushed(): void {}
}

/** Passes shorter than this are not worth waiting for: timers count in milliseconds. */
const NEGLIGIBLE_COST_MS = 0.5;
/** Weight of the newest pass in the running mean. */
const NEWEST = 0.25;
/** Length of the pause after a pass, in passes. */
const PAUSE = 0.5;

/**
 * At once while the shard has time to spare; as its passes take longer it leaves a pause of half their length between
 * them, in which messages gather, up to `delayMsMax`. So a loaded shard spends about two thirds of its time on writing,
 * its clients' commands find it free in between, and the pause shrinks by itself when the load does.
 */
export class AdaptivePolicy implements FlushPolicy {
  readonly gathersInRing = true;
  readonly messagesMax: number;
  readonly #delayMsMax: number;
  #costMs = 0;
  #flushedAtMs = 0;

  constructor(messagesMax: number, delayMsMax: number) {
    this.messagesMax = messagesMax;
    this.#delayMsMax = delayMsMax;
  }

  get gatherMs(): number {
    return this.#costMs < NEGLIGIBLE_COST_MS ? 0 : Math.min(this.#costMs * PAUSE, this.#delayMsMax);
  }

  delayMs(_openedAtMs: number, nowMs: number): number {
    return this.#flushedAtMs + this.gatherMs - nowMs;
  }

  flushed(costMs: number, nowMs: number): void {
    this.#costMs += (costMs - this.#costMs) * NEWEST;
    this.#flushedAtMs = nowMs;
  }
}

/** Pauses between tries that double with each failure, up to a longest, and start anew after a quiet while. */
export class BackOff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #quietMs: number;
  #failures = 0;
  #failedAtMs = Number.NEGATIVE_INFINITY;

  /** @param quietMs without a failure for this long, the next one counts as the first */
  constructor(firstMs: number, longestMs: number, quietMs: number) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#quietMs = quietMs;
  }

  /** Something failed at `nowMs` (any clock that only grows). Returns the pause before the next try, ms. */
  failed(nowMs: number): number {
    if (nowMs - this.#failedAtMs > this.#quietMs) this.#failures = 0;
    this.#failedAtMs = nowMs;
    return Math.min(this.#longestMs, this.#firstMs * 2 ** this.#failures++);
  }
}

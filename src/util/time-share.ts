/** Of each window, how much time questions may take from the work that must not wait, ms. */
const WINDOW_MS = 1_000;
const SHARE_MS_MAX = 200;

/** Keeps what clients ask from taking more than a share of a thread. */
export class TimeShare {
  #sinceMs = Number.NEGATIVE_INFINITY;
  #spentMs = 0;

  /** Runs the work, or returns undefined where the share of this second has been taken. */
  run<T>(work: () => T): T | undefined {
    const begunMs = performance.now();
    if (begunMs - this.#sinceMs >= WINDOW_MS) {
      this.#sinceMs = begunMs;
      this.#spentMs = 0;
    }
    if (this.#spentMs > SHARE_MS_MAX) return undefined;
    try {
      return work();
    } finally {
      this.#spentMs += performance.now() - begunMs;
    }
  }
}

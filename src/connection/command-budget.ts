/**
 * How many commands a connection may send: a token bucket that fills at `perSecond` and holds twice that. Also knows for
 * how long a client has kept asking for more.
 */
const BURST_FACTOR = 2;
/** A client that was not refused for this long has slowed down. */
const PAUSE_MS = 2_000;

export class CommandBudget {
  readonly #perSecond: number;
  #tokens: number;
  #filledAtMs: number;
  #refusedSinceMs = 0;
  #refusedAtMs = 0;
  #repliesLeft: number;
  #repliesSinceMs = 0;

  /** @param perSecond commands per second; 0: no limit */
  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond * BURST_FACTOR;
    this.#filledAtMs = nowMs;
    this.#repliesLeft = perSecond;
  }

  /** Takes one command. False: too many. */
  take(nowMs: number): boolean {
    if (this.#perSecond === 0) return true;
    const filled = (Math.max(0, nowMs - this.#filledAtMs) * this.#perSecond) / 1000;
    this.#tokens = Math.min(this.#perSecond * BURST_FACTOR, this.#tokens + filled);
    this.#filledAtMs = nowMs;
    if (this.#tokens >= 1) {
      this.#tokens--;
      return true;
    }
    if (nowMs - this.#refusedAtMs > PAUSE_MS) this.#refusedSinceMs = nowMs;
    this.#refusedAtMs = nowMs;
    return false;
  }

  /** Since when, without a pause, commands have been refused: ms. 0 when the last one passed long ago. */
  refusedForMs(nowMs: number): number {
    return nowMs - this.#refusedAtMs > PAUSE_MS ? 0 : nowMs - this.#refusedSinceMs;
  }

  /** Whether a refusal is still to be answered: at most `perSecond` answers a second, so a flood is not doubled. */
  mayReply(nowMs: number): boolean {
    if (nowMs - this.#repliesSinceMs >= 1_000) {
      this.#repliesSinceMs = nowMs;
      this.#repliesLeft = this.#perSecond;
    }
    return this.#repliesLeft-- > 0;
  }
}

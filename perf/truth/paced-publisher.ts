import type { Pace } from './gateway-messages.ts';

/** Longest stretch of publishing before the event loop goes on. */
const TURN_PUBLICATIONS_MAX = 256;

/** Publishes at a pace, with bursts, until it is told to pause. */
export class PacedPublisher {
  total = 0;
  readonly #publish: () => void;
  #pace: Pace | undefined;
  #begunMs = 0;
  #begunTotal = 0;
  #nextBurstMs = 0;
  #burstLeft = 0;

  /** @param publish publishes one publication, which has to be accepted */
  constructor(publish: () => void) {
    this.#publish = publish;
  }

  start(pace: Pace): void {
    const wasRunning = this.#pace !== undefined;
    this.#pace = pace;
    this.#begunMs = performance.now();
    this.#begunTotal = this.total;
    this.#nextBurstMs = this.#begunMs + pace.burstEveryMs;
    if (!wasRunning) this.#turn();
  }

  pause(): void {
    this.#pace = undefined;
  }

  readonly #turn = (): void => {
    if (this.#pace === undefined) return;
    const due = Math.min(this.#due(this.#pace), TURN_PUBLICATIONS_MAX);
    for (let n = 0; n < due; n++) {
      this.#publish();
      this.total++;
    }
    if (due === TURN_PUBLICATIONS_MAX) setImmediate(this.#turn);
    else setTimeout(this.#turn, 1);
  };

  /** How many are to be published now. */
  #due({ ratePerS, burstEveryMs, burstPublications }: Pace): number {
    if (ratePerS === 0) return TURN_PUBLICATIONS_MAX;
    const nowMs = performance.now();
    if (burstEveryMs > 0 && nowMs >= this.#nextBurstMs) {
      this.#nextBurstMs = nowMs + burstEveryMs;
      this.#burstLeft = burstPublications;
    }
    if (this.#burstLeft > 0) {
      const part = Math.min(this.#burstLeft, TURN_PUBLICATIONS_MAX);
      this.#burstLeft -= part;
      // What a burst has published does not count against the pace.
      this.#begunTotal += part;
      return part;
    }
    return Math.max(0, Math.floor(((nowMs - this.#begunMs) * ratePerS) / 1000) - (this.total - this.#begunTotal));
  }
}

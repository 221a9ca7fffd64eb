import { assert } from '../util/assert.ts';

const US_PER_SECOND = 1_000_000;

/** Publications that are later than this are not caught up with, µs. */
const CATCH_UP_US = US_PER_SECOND;

/** The next due time cannot lie further ahead than its spacing; by this much more, µs, and the clock was set back. */
const CLOCK_SET_BACK_US = US_PER_SECOND;

/**
 * A schedule of evenly spaced due times: the n-th is at start + n / rate, computed anew for each n so that no rounding
 * adds up. Pure arithmetic: time is handed in.
 */
export class Pace {
  #startUs: number;
  readonly #spacingUs: number;
  #index = 0;
  #skipped = 0;

  /**
   * @param ratePerSecond above 0
   * @param startUs due time of the first, µs since the epoch
   */
  constructor(ratePerSecond: number, startUs: number) {
    assert(ratePerSecond > 0, 'a pace has a rate above 0');
    this.#startUs = startUs;
    this.#spacingUs = US_PER_SECOND / ratePerSecond;
  }

  /** Due times given up because they lay too far back. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Due time of the next publication, whole µs since the epoch. */
  dueUs(): number {
    return Math.round(this.#startUs + this.#index * this.#spacingUs);
  }

  /** The next publication has left. */
  advance(): void {
    this.#index++;
  }

  /**
   * Gives up the due times more than a second before `nowUs`, so that a stall is followed by a second's worth at most.
   * Where the clock was set back, the schedule begins again now.
   */
  align(nowUs: number): void {
    const oldest = Math.ceil((nowUs - CATCH_UP_US - this.#startUs) / this.#spacingUs);
    if (oldest > this.#index) {
      this.#skipped += oldest - this.#index;
      this.#index = oldest;
    } else if (this.dueUs() - nowUs > this.#spacingUs + CLOCK_SET_BACK_US) {
      this.#startUs = nowUs;
      this.#index = 0;
    }
  }
}

import { BookSide } from './book-side.ts';
import type { Depth, Level } from './depth.ts';

/**
 * Makes one depth update of several that follow each other. Applied to any book that stood before the first, the result
 * leaves the same book as all of them, one by one.
 */
export class BookMerge {
  readonly #bids = new BookSide();
  readonly #asks = new BookSide();
  #isSnapshot = false;

  /** Adds the publication that comes next. Constant time for each level named. */
  add(depth: Depth): void {
    if (depth.isSnapshot) {
      this.#isSnapshot = true;
      this.#bids.clear();
      this.#asks.clear();
    }
    if (this.#isSnapshot) {
      this.#bids.apply(depth.bids);
      this.#asks.apply(depth.asks);
    } else {
      this.#bids.note(depth.bids);
      this.#asks.note(depth.asks);
    }
  }

  /** Levels that the result has so far, on both sides together, deletions included. */
  get levels(): number {
    return this.#bids.size + this.#asks.size;
  }

  /**
   * What was added, as one update: each price once, as last published, best first. A snapshot if one was among it, and then
   * without deletions. Arrays of the caller's own; more may be added afterwards.
   */
  result(): { bids: Level[]; asks: Level[]; isSnapshot: boolean } {
    return { bids: this.#bids.descending(), asks: this.#asks.ascending(), isSnapshot: this.#isSnapshot };
  }
}

import { BookSide } from './book-side.ts';
import type { Depth, Level } from './depth.ts';

/**
 * A full book, built from depth publications: on the primary one for each book topic, on a shard from a key frame and the
 * updates since. Holds the levels it was given, not copies; levels leave it only by a size of 0 or a snapshot.
 */
export class OrderBook {
  readonly #bids = new BookSide();
  readonly #asks = new BookSide();

  /** Constant time for each level named; sorts nothing. */
  apply(depth: Depth): void {
    if (depth.isSnapshot) {
      this.#bids.clear();
      this.#asks.clear();
    }
    this.#bids.apply(depth.bids);
    this.#asks.apply(depth.asks);
  }

  /** Levels on both sides together: with the usual length of one, how long the book is as text. */
  get levels(): number {
    return this.#bids.size + this.#asks.size;
  }

  /** Best, that is highest, first; as last published. Sorted at each call. */
  bids(): Level[] {
    return this.#bids.descending();
  }

  /** Best, that is lowest, first; as last published. Sorted at each call. */
  asks(): Level[] {
    return this.#asks.ascending();
  }
}

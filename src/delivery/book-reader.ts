import { BOOK } from '../ring/layout.ts';
import { BOOK_SNAPSHOT } from './delivery-policy.ts';
import { readDepth } from './depth.ts';
import { textOfFrame } from './frame-tail.ts';
import type { LatestValuesParts } from './latest-values.ts';
import { OrderBook } from './order-book.ts';

/** A data frame of a book, as parsed JSON. */
export interface BookMessage {
  type: string;
  payload: { data: object; [key: string]: unknown };
  timestamp: number;
  seq: number;
  prevSeq: number;
}

interface HeldBook {
  book: OrderBook;
  /** The newest update, for everything beside bids and asks. */
  newest: BookMessage;
}

/** Books that are held at a time; the one that was not wanted for longest goes first. */
const BOOKS_MAX = 64;

/**
 * Builds full order books from the ring: from the record that a book is built up from, through the updates since. A book
 * that was asked for once is held, so that the next time only what has come since is read.
 */
export class BookReader {
  readonly #parts: LatestValuesParts;
  readonly #books = new Map<number, HeldBook>();

  constructor(parts: LatestValuesParts) {
    this.#parts = parts;
  }

  /** The full book as one message, as of the newest update that this shard has read; undefined where it cannot be built. */
  message(topic: number): BookMessage | undefined {
    const held = this.#upToDate(topic);
    if (held === undefined) return undefined;
    const { newest, book } = held;
    const data = { ...newest.payload.data, bids: book.bids(), asks: book.asks(), isSnapshot: true };
    const { type, payload, timestamp, prevSeq } = newest;
    // Of the newest publication, which need not be one that changed the book.
    const seq = this.#parts.table.lastSeq(topic);
    return { type, payload: { ...payload, data }, timestamp, seq, prevSeq };
  }

  /** Levels of both sides; undefined as above. */
  levels(topic: number): number | undefined {
    return this.#upToDate(topic)?.book.levels;
  }

  clear(): void {
    this.#books.clear();
  }

  #upToDate(topic: number): HeldBook | undefined {
    const seq = this.#parts.table.lastSeq(topic);
    const held = this.#books.get(topic);
    this.#books.delete(topic);
    const read =
      held !== undefined && this.#readUpdates(topic, held, held.newest.seq) ? held : this.#readFromBase(topic, seq);
    if (read === undefined) return undefined;
    this.#books.set(topic, read);
    if (this.#books.size > BOOKS_MAX) this.#books.delete(this.#books.keys().next().value!);
    return read;
  }

  #readFromBase(topic: number, seq: number): HeldBook | undefined {
    const { table, directory, history } = this.#parts;
    // The second is where the primary has written it anew, further on than this shard has read.
    for (const base of [table.bookAt(topic), directory.book(topic)]) {
      if (!history.readAt(base) || history.topic !== topic || history.seq > seq) continue;
      const newest = this.#parse();
      const depth = readDepth(newest.payload.data);
      if (depth === undefined) continue;
      const held = { book: new OrderBook(), newest };
      held.book.apply(depth);
      if (this.#readUpdates(topic, held, newest.seq)) return held;
    }
    return undefined;
  }

  /** Applies what the topic has published behind `afterSeq`. False: some of it cannot be read any more. */
  #readUpdates(topic: number, held: HeldBook, afterSeq: number): boolean {
    const { history } = this.#parts;
    const positions = this.#positionsAfter(topic, afterSeq);
    if (positions === undefined) return false;
    for (let i = positions.length - 1; i >= 0; i--) {
      if (!history.readAt(positions[i]!)) return false;
      const message = this.#parse();
      const depth = readDepth(message.payload.data);
      if (depth === undefined) continue;
      held.book.apply(depth);
      held.newest = message;
    }
    return true;
  }

  /** Records of the topic behind `afterSeq`, newest first, back to a whole book at most. */
  #positionsAfter(topic: number, afterSeq: number): number[] | undefined {
    const { table, history } = this.#parts;
    const positions: number[] = [];
    let position = table.latestAt(topic);
    if (table.lastSeq(topic) <= afterSeq) return positions;
    for (;;) {
      // At a key frame the book begins anew.
      if (!history.peekAt(position) || history.kind === BOOK) return undefined;
      positions.push(position);
      if (history.prevSeq <= afterSeq || history.policy === BOOK_SNAPSHOT) return positions;
      position = history.previous;
    }
  }

  #parse(): BookMessage {
    const { history } = this.#parts;
    return JSON.parse(textOfFrame(history.bytes, history.frameStart, history.frameEnd)) as BookMessage;
  }
}

import { textFrame } from '../frame/frame-header.ts';
import type { Receiver } from '../ring/receiver.ts';
import type { TopicDirectoryReader } from '../ring/topic-directory.ts';
import { BookReader } from './book-reader.ts';
import { isBook } from './delivery-policy.ts';
import { type FrameTail, textOfFrame, withTail } from './frame-tail.ts';
import type { TopicTable } from './topic-table.ts';

export interface LatestValuesParts {
  /** Reads records that lie behind; not the receiver that the shard follows the ring with. */
  history: Receiver;
  directory: TopicDirectoryReader;
  table: TopicTable;
}

/** How a frame ends that tells a latest value. */
export const SNAPSHOT_TAIL: FrameTail = { prevSeq: 0, snapshot: true };

/**
 * The latest value of each topic, as of what this shard has read: the newest publication, or the full book. Runs on a
 * shard's thread. Everything is read from the ring, where the primary keeps it; nobody is asked, and nothing is held but
 * a few books.
 */
export class LatestValues {
  readonly #parts: LatestValuesParts;
  readonly #books: BookReader;

  constructor(parts: LatestValuesParts) {
    this.#parts = parts;
    this.#books = new BookReader(parts);
  }

  /**
   * The topic's latest value, as a snapshot frame; undefined where there is none, or none is kept.
   * @param seq of the publication that it is to be the value of: the newest, or an earlier one, whose record stands `at`
   */
  snapshotAt(topic: number, seq: number, at: number): Buffer | undefined {
    const { table, history } = this.#parts;
    const isNewest = this.isNewest(topic, seq);
    if (this.#hasBook(topic)) return isNewest ? this.fullBook(topic, SNAPSHOT_TAIL) : undefined;
    // One update of a book that is not kept would not be its value.
    if (isBook(table.policy(topic))) return undefined;
    const isRead = isNewest ? this.#readLatest(topic) : history.readAt(at) && history.seq === seq;
    return isRead ? withTail(history.bytes, history.frameStart, history.frameEnd, SNAPSHOT_TAIL) : undefined;
  }

  /** Whether `seq` is the topic's newest publication, as far as this shard has read. */
  isNewest(topic: number, seq: number): boolean {
    return seq === this.#parts.table.lastSeq(topic);
  }

  wasPublished(topic: number): boolean {
    return this.#parts.table.lastSeq(topic) > 0;
  }

  /** Whether the topic has a latest value that `snapshotAt` would give, by a look that costs little. */
  isKept(topic: number): boolean {
    const { table, directory } = this.#parts;
    if (isBook(table.policy(topic))) return this.#hasBook(topic) && directory.book(topic) >= 0;
    return table.lastSeq(topic) > 0 && directory.latest(topic) >= 0;
  }

  /** The payload of the topic's latest value, as parsed JSON; undefined as above. */
  payload(topic: number): unknown {
    const { history } = this.#parts;
    if (this.#hasBook(topic)) return this.#books.message(topic)?.payload;
    if (isBook(this.#parts.table.policy(topic)) || !this.#readLatest(topic)) return undefined;
    const text = textOfFrame(history.bytes, history.frameStart, history.frameEnd);
    return (JSON.parse(text) as { payload: unknown }).payload;
  }

  /** The topic's full book, in a frame that ends as `tail` says; undefined where there is none. */
  fullBook(topic: number, tail: FrameTail): Buffer | undefined {
    const message = this.#books.message(topic);
    if (message === undefined) return undefined;
    const frame = textFrame(JSON.stringify(message));
    return withTail(frame, 0, frame.length, tail);
  }

  /** Levels of the topic's full book; undefined where there is none. */
  bookLevels(topic: number): number | undefined {
    return this.#hasBook(topic) ? this.#books.levels(topic) : undefined;
  }

  /** Lets go of the books that are held. */
  trim(): void {
    this.#books.clear();
  }

  #hasBook(topic: number): boolean {
    return this.#parts.table.bookAt(topic) >= 0;
  }

  #readLatest(topic: number): boolean {
    const { table, history, directory } = this.#parts;
    const seq = table.lastSeq(topic);
    if (seq === 0) return false;
    if (history.readAt(table.latestAt(topic)) && history.seq === seq) return true;
    // It has been moved ahead, further than this shard has read.
    return history.readAt(directory.latest(topic)) && history.seq === seq;
  }
}

import type { Publication, PublicationContext } from '../dataflow/publication.ts';
import type { Depth } from '../delivery/depth.ts';
import { OrderBook } from '../delivery/order-book.ts';
import { payloadText } from './payload-text.ts';
import type { RegisteredTopic } from './topic-registry.ts';

/** A key frame is not written before this much has been published since the last, bytes. */
const KEY_FRAME_BYTES_MIN = 64 * 1024;
/** A book of more levels is taken for one whose levels are never taken away, and is not kept. */
const LEVELS_MAX = 100_000;

interface KeptBook {
  readonly book: OrderBook;
  /** The newest publication, for the fields beside bids and asks. */
  publication: Publication;
  receivedAtAdded: boolean;
  /** Bytes of the record that the book is built up from, and of the updates since. */
  baseBytes: number;
  updateBytes: number;
}

/**
 * The full order book of each topic whose publications are updates of one: what all that it has published comes to. Runs on
 * the primary thread. In: depth publications. Out: the text of key frames. A key frame is due when the updates since the
 * last one are as long as it is, so that whoever needs the book reads at most twice its size, and the ring carries at most
 * twice the updates.
 */
export class BookKeeper {
  readonly #books = new Map<number, KeptBook>();
  /** Topics whose updates tell only a part of the book, since what came before has been forgotten. */
  readonly #broken = new Set<number>();

  /**
   * The topic has published `depth`.
   * @param bytes of its record
   * @returns `base` where the book is built up from this very publication, `update` where it changes the book, `none` where
   *   there is no book
   */
  apply(
    topic: number,
    depth: Depth,
    publication: Publication,
    context: PublicationContext,
    bytes: number,
  ): 'base' | 'update' | 'none' {
    if (depth.isSnapshot) this.#broken.delete(topic);
    else if (this.#broken.has(topic)) return 'none';
    let kept = this.#books.get(topic);
    const isBase = kept === undefined || depth.isSnapshot;
    if (kept === undefined) {
      kept = {
        book: new OrderBook(),
        publication,
        receivedAtAdded: false,
        baseBytes: 0,
        updateBytes: 0,
      };
      this.#books.set(topic, kept);
    }
    kept.book.apply(depth);
    kept.publication = publication;
    kept.receivedAtAdded = context.receivedAtAdded;
    if (isBase) this.based(topic, bytes);
    else kept.updateBytes += bytes;
    return isBase ? 'base' : 'update';
  }

  /** The book can be built up from a record of `bytes` bytes now. */
  based(topic: number, bytes: number): void {
    const kept = this.#books.get(topic)!;
    kept.baseBytes = bytes;
    kept.updateBytes = 0;
  }

  /** A key frame cannot be written. It is tried again after as much as before. */
  putOff(topic: number): void {
    this.#books.get(topic)!.updateBytes = 0;
  }

  has(topic: number): boolean {
    return this.#books.has(topic);
  }

  isKeyFrameDue(topic: number): boolean {
    const kept = this.#books.get(topic);
    return kept !== undefined && kept.updateBytes > Math.max(KEY_FRAME_BYTES_MIN, kept.baseBytes);
  }

  /** Fields of the full book's payload, as `payloadText` gives them; undefined for one that is not kept any more. */
  fields({ id }: RegisteredTopic): string | undefined {
    const kept = this.#books.get(id);
    if (kept === undefined) return undefined;
    const { book, publication, receivedAtAdded } = kept;
    if (book.levels > LEVELS_MAX) return undefined;
    const data = { ...(publication.data as object), bids: book.bids(), asks: book.asks(), isSnapshot: true };
    return payloadText({ ...publication, data }, receivedAtAdded);
  }

  /** The book is not kept any more; the topic's next whole book begins a new one. */
  forget(topic: number): void {
    if (this.#books.delete(topic)) this.#broken.add(topic);
  }
}

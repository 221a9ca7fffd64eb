import { BOOK, FRAME, NO_POSITION } from '../ring/layout.ts';
import type { RecordCursor } from '../ring/receiver.ts';
import { BOOK_SNAPSHOT, isBook } from './delivery-policy.ts';

/** Ordinals in one page of a baseline. While much is published all pages differ: smaller ones cost more than they share. */
const PAGE = 512;

/** What is known of a topic at one moment; see the methods of TopicTable. */
export interface TopicState {
  readonly seq: number;
  readonly ordinal: number;
  readonly policy: number;
  readonly slot: number;
  readonly latestAt: number;
  readonly bookAt: number;
}

/** How many publications topics had had at one moment. */
export interface Ordinals {
  /** 0 for a topic that did not exist yet. */
  ordinal(topic: number): number;
}

/** Of all topics. Pages that did not change are shared with other moments. */
export class Baseline implements Ordinals {
  readonly #pages: readonly Uint32Array[];

  constructor(pages: readonly Uint32Array[]) {
    this.#pages = pages;
  }

  ordinal(topic: number): number {
    return this.#pages[Math.floor(topic / PAGE)]?.[topic % PAGE] ?? 0;
  }
}

/** Of a few topics. */
class FewOrdinals implements Ordinals {
  readonly #ordinals: ReadonlyMap<number, number>;

  constructor(ordinals: ReadonlyMap<number, number>) {
    this.#ordinals = ordinals;
  }

  ordinal(topic: number): number {
    return this.#ordinals.get(topic) ?? 0;
  }
}

/**
 * What a shard has passed on of each topic, up to the record it has read last: the newest seq, how many publications there
 * were, and where the latest value stands in the ring. Runs on the shard's thread, for each record.
 */
export class TopicTable {
  /** seq of the newest publication read. */
  seq = 0;
  readonly #lastSeq: number[] = [];
  readonly #policy: number[] = [];
  readonly #slot: number[] = [];
  readonly #latestAt: number[] = [];
  readonly #bookAt: number[] = [];
  /** Ordinal up to which none of the topic's publications was a book, as far as they have all been read. */
  readonly #bookless: number[] = [];
  readonly #pages: Uint32Array[] = [];
  /** Pages that differ from those of the newest baseline. */
  readonly #dirty = new Set<number>();
  #dirtyLast = -1;
  #baselinePages: readonly Uint32Array[] = [];
  #baseline = new Baseline(this.#baselinePages);

  /** Topics with an entry; their ids are below this. */
  get size(): number {
    return this.#lastSeq.length;
  }

  /** seq of the newest publication of the topic that this shard has seen; 0 for none. */
  lastSeq(topic: number): number {
    return this.#lastSeq[topic] ?? 0;
  }

  /** How many publications the topic has had up to that one. */
  ordinal(topic: number): number {
    return this.#pages[Math.floor(topic / PAGE)]?.[topic % PAGE] ?? 0;
  }

  /** Policy of its newest publication, see delivery-policy.ts. */
  policy(topic: number): number {
    return this.#policy[topic] ?? 0;
  }

  /** Statistics slot of its data type. */
  slot(topic: number): number {
    return this.#slot[topic] ?? 0;
  }

  /** Ring position of the record with its latest value; that of a book is where its last update stands. */
  latestAt(topic: number): number {
    return this.#latestAt[topic] ?? NO_POSITION;
  }

  /** Ring position of the record that its book is built up from; NO_POSITION where it has none. */
  bookAt(topic: number): number {
    return this.#bookAt[topic] ?? NO_POSITION;
  }

  /** A record has been read: a publication, or a latest value that was moved. */
  observe(record: RecordCursor): void {
    const { kind, topic, seq, policy, slot, ordinal, at } = record;
    this.#set(topic, seq, ordinal, at);
    // Before its first update a book has no levels; behind others that were not read, an update alone is no book.
    const isFirst = kind === FRAME && ordinal === this.#bookless[topic]! + 1;
    if (kind === BOOK || policy === BOOK_SNAPSHOT || (isFirst && isBook(policy))) this.#bookAt[topic] = at;
    if (kind !== FRAME) return;
    this.seq = seq;
    this.#policy[topic] = policy;
    this.#slot[topic] = slot;
    if (isFirst && !isBook(policy)) this.#bookless[topic] = ordinal;
  }

  /** Takes a topic's state over from the ring, where it was not read record by record. */
  restore(topic: number, latest: TopicState): void {
    const { seq, ordinal, policy, slot, latestAt, bookAt } = latest;
    this.#set(topic, seq, ordinal, latestAt);
    this.#policy[topic] = policy;
    this.#slot[topic] = slot;
    this.#bookAt[topic] = bookAt;
  }

  /** Ordinals as they are now. The same object as before where nothing has changed. */
  baseline(): Baseline {
    if (this.#dirty.size === 0) return this.#baseline;
    const pages = [...this.#baselinePages];
    for (const page of this.#dirty) pages[page] = this.#pages[page]!.slice();
    this.#dirty.clear();
    this.#dirtyLast = -1;
    this.#baselinePages = pages;
    this.#baseline = new Baseline(pages);
    return this.#baseline;
  }

  /** As `baseline`, but of these topics alone, and of those that do not exist yet: a few take little memory. */
  ordinals(topics: readonly number[]): Ordinals {
    return new FewOrdinals(new Map(topics.map((topic) => [topic, this.ordinal(topic)])));
  }

  #set(topic: number, seq: number, ordinal: number, at: number): void {
    const page = Math.floor(topic / PAGE);
    while (this.#lastSeq.length <= topic) this.#grow();
    this.#lastSeq[topic] = seq;
    this.#latestAt[topic] = at;
    this.#pages[page]![topic % PAGE] = ordinal;
    // Publications of the same page follow each other: then the Set need not be asked.
    if (page === this.#dirtyLast) return;
    this.#dirty.add(page);
    this.#dirtyLast = page;
  }

  #grow(): void {
    if (this.#lastSeq.length % PAGE === 0) {
      this.#dirty.add(this.#pages.length);
      this.#pages.push(new Uint32Array(PAGE));
    }
    this.#lastSeq.push(0);
    this.#policy.push(0);
    this.#slot.push(0);
    this.#latestAt.push(NO_POSITION);
    this.#bookAt.push(NO_POSITION);
    this.#bookless.push(0);
  }
}

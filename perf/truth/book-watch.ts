import { GrowingNumbers } from './growing-numbers.ts';
import { isBookData, NaiveBook } from './naive-book.ts';
import type { TopicChain } from './topic-chain.ts';
import type { DataFrame } from './wire-message.ts';

/** A client's book as it stood at one seq of its topic. */
export interface BookClaim {
  topic: number;
  seq: number;
  low: number;
  high: number;
}

interface WatchedBook {
  book: NaiveBook;
  /** The book is whole: it began with the topic's first publication, or with a snapshot. */
  isWhole: boolean;
}

const WORDS = 4;

/**
 * The books that a client builds from what it gets, and what each looked like behind every frame; a judge compares them with the
 * book made of all publications. A book that a gap has damaged is left out until a snapshot mends it.
 */
export class BookWatch {
  /** Frames of books that could not be compared. */
  unfounded = 0;
  readonly #books = new Map<number, WatchedBook>();
  readonly #claims = new GrowingNumbers();

  /** Takes a frame of a book's topic that is new to the client. */
  take(chain: TopicChain, { seq, prevSeq, snapshot, payload }: DataFrame): void {
    const { data } = payload;
    if (!isBookData(data)) return;
    const watched = this.#watched(chain.index);
    if (data.isSnapshot === true || (prevSeq === 0 && snapshot !== true)) watched.isWhole = true;
    if (!watched.isWhole) {
      this.unfounded++;
      return;
    }
    watched.book.apply(data);
    this.#claim(chain.index, seq, watched.book);
  }

  /** Something of the topic is missing from here on. */
  damaged(chain: TopicChain): void {
    this.#books.delete(chain.index);
  }

  *claims(): Generator<BookClaim> {
    const claims = this.#claims;
    for (let at = 0; at < claims.length; at += WORDS) {
      yield { topic: claims.at(at), seq: claims.at(at + 1), low: claims.at(at + 2), high: claims.at(at + 3) };
    }
  }

  #watched(topic: number): WatchedBook {
    let watched = this.#books.get(topic);
    if (watched === undefined) {
      watched = { book: new NaiveBook(), isWhole: false };
      this.#books.set(topic, watched);
    }
    return watched;
  }

  #claim(topic: number, seq: number, { low, high }: NaiveBook): void {
    for (const word of [topic, seq, low, high]) this.#claims.push(word);
  }
}

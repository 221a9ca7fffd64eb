import { assert } from '../util/assert.ts';
import { NO_POSITION } from './layout.ts';

/**
 * The topics of the gateway, in shared memory: every shard, also one that has just been restarted or lapped, reads a
 * topic's name and where its latest record stands without asking anybody. Append-only; the primary writes, shards read.
 *
 *     COUNT    Int32, 128 bytes apart from the rest: topics that are complete
 *     LATEST   topics × BigInt64: position of the topic's latest record, or of its copy further on
 *     BOOK     topics × BigInt64: position of the record that the topic's order book is built up from, -1 for none
 *     GIVEN UP topics × (BigInt64 seq, Int32 ordinal, Int32 slot and policy): where the topic stood when its latest value
 *              was given up; of no account while LATEST has a position
 *     NAMES    topics × (Int32 start, Int32 end) in TEXT
 *     TEXT     JSON of each topic's name, [exchange, symbol, data type] with null for what it lacks
 */
const HEADER_BYTES = 128;
const TEXT_BYTES_PER_TOPIC = 64;
const TEXT_BYTES_MIN = 64 * 1024;

/** Longest exchange, symbol and data type together, in bytes of JSON. */
export const TOPIC_NAME_BYTES_MAX = 1_024;

/** What a topic is called. `null`: the publication has no such field. */
export interface TopicName {
  exchange: string | null;
  symbol: string | null;
  /** Klines keep their interval here: `kline_1m`. */
  dataType: string | null;
}

/** A topic's newest publication, as far as it is known without its record; see layout.ts. */
export interface TopicNumbers {
  readonly seq: number;
  readonly ordinal: number;
  readonly slot: number;
  readonly policy: number;
}

export interface TopicDirectoryMemory {
  readonly memory: SharedArrayBuffer;
  readonly topicsMax: number;
}

export function allocateTopicDirectory(topicsMax: number): TopicDirectoryMemory {
  return { memory: new SharedArrayBuffer(textAt(topicsMax) + textBytes(topicsMax)), topicsMax };
}

class DirectoryViews {
  readonly count: Int32Array;
  readonly latest: BigInt64Array;
  readonly book: BigInt64Array;
  /** seq of topic t at 2 t; as Int32, its ordinal at 4 t + 2, then slot and policy. */
  readonly givenUpSeqs: BigInt64Array;
  readonly givenUp: Int32Array;
  readonly names: Int32Array;
  readonly text: Buffer;

  constructor({ memory, topicsMax }: TopicDirectoryMemory) {
    this.count = new Int32Array(memory, 0, 1);
    this.latest = new BigInt64Array(memory, HEADER_BYTES, topicsMax);
    this.book = new BigInt64Array(memory, HEADER_BYTES + topicsMax * 8, topicsMax);
    this.givenUpSeqs = new BigInt64Array(memory, HEADER_BYTES + topicsMax * 16, topicsMax * 2);
    this.givenUp = new Int32Array(memory, HEADER_BYTES + topicsMax * 16, topicsMax * 4);
    this.names = new Int32Array(memory, HEADER_BYTES + topicsMax * 32, topicsMax * 2);
    this.text = Buffer.from(memory, textAt(topicsMax), textBytes(topicsMax));
  }
}

export class TopicDirectoryWriter {
  readonly #views: DirectoryViews;
  readonly #topicsMax: number;
  #count = 0;
  #textEnd = 0;

  constructor(directory: TopicDirectoryMemory) {
    this.#views = new DirectoryViews(directory);
    this.#topicsMax = directory.topicsMax;
  }

  get size(): number {
    return this.#count;
  }

  /** Adds a topic and returns its id, or -1 when there is no room for another (or its name is too long). */
  add(name: TopicName): number {
    const text = Buffer.from(JSON.stringify([name.exchange, name.symbol, name.dataType]));
    const { names, latest, book, count } = this.#views;
    const end = this.#textEnd + text.length;
    if (this.#count === this.#topicsMax || text.length > TOPIC_NAME_BYTES_MAX || end > this.#views.text.length)
      return -1;
    const id = this.#count++;
    this.#views.text.set(text, this.#textEnd);
    names[id * 2] = this.#textEnd;
    names[id * 2 + 1] = end;
    latest[id] = BigInt(NO_POSITION);
    book[id] = BigInt(NO_POSITION);
    this.#textEnd = end;
    // Partner: TopicDirectoryReader.count.
    Atomics.store(count, 0, this.#count);
    return id;
  }

  /** Call between a record's commit and its publish: who sees the record finds it here. */
  setLatest(topic: number, position: number): void {
    // Partner: TopicDirectoryReader.latest.
    Atomics.store(this.#views.latest, topic, BigInt(position));
  }

  /** As `setLatest`, for the record that the topic's order book is built up from. */
  setBook(topic: number, position: number): void {
    // Partner: TopicDirectoryReader.book.
    Atomics.store(this.#views.book, topic, BigInt(position));
  }

  /** The topic's latest value is not kept any more, whether it was a record or a book. @param newest its newest publication */
  giveUp(topic: number, { seq, ordinal, slot, policy }: TopicNumbers): void {
    const { givenUpSeqs, givenUp } = this.#views;
    // Partner: TopicDirectoryReader.givenUp. Without a seq, what stands there is being written.
    Atomics.store(givenUpSeqs, topic * 2, 0n);
    Atomics.store(givenUp, topic * 4 + 2, ordinal | 0);
    Atomics.store(givenUp, topic * 4 + 3, (slot << 16) | policy);
    Atomics.store(givenUpSeqs, topic * 2, BigInt(seq));
    this.setLatest(topic, NO_POSITION);
    this.setBook(topic, NO_POSITION);
  }
}

export class TopicDirectoryReader {
  readonly #views: DirectoryViews;

  constructor(directory: TopicDirectoryMemory) {
    this.#views = new DirectoryViews(directory);
  }

  /** Topics so far; their ids are 0 to count - 1. */
  count(): number {
    return Atomics.load(this.#views.count, 0);
  }

  /** @param topic an id below `count()` */
  name(topic: number): TopicName {
    assert(topic >= 0 && topic < this.count(), 'a topic id comes from the directory');
    const { names, text } = this.#views;
    const json = text.toString('utf8', names[topic * 2], names[topic * 2 + 1]);
    const [exchange, symbol, dataType] = JSON.parse(json) as [string | null, string | null, string | null];
    return { exchange, symbol, dataType };
  }

  /** Position of the topic's latest record; it may have been overwritten since. */
  latest(topic: number): number {
    return Number(Atomics.load(this.#views.latest, topic));
  }

  /** Position of the record that the topic's order book is built up from; NO_POSITION for none. */
  book(topic: number): number {
    return Number(Atomics.load(this.#views.book, topic));
  }

  /**
   * The newest publication of a topic whose latest value was given up; undefined where it never was, or is just being so.
   * Once the topic has published again this is an older one.
   */
  givenUp(topic: number): TopicNumbers | undefined {
    const { givenUpSeqs, givenUp } = this.#views;
    // Partner: TopicDirectoryWriter.giveUp.
    const seq = Atomics.load(givenUpSeqs, topic * 2);
    const ordinal = Atomics.load(givenUp, topic * 4 + 2) >>> 0;
    const word = Atomics.load(givenUp, topic * 4 + 3);
    if (seq === 0n || Atomics.load(givenUpSeqs, topic * 2) !== seq) return undefined;
    return { seq: Number(seq), ordinal, slot: word >> 16, policy: word & 0xffff };
  }
}

function textAt(topicsMax: number): number {
  return HEADER_BYTES + topicsMax * 40;
}

function textBytes(topicsMax: number): number {
  return Math.max(TEXT_BYTES_MIN, topicsMax * TEXT_BYTES_PER_TOPIC);
}

import type { ChainChecker } from '../../perf/truth/chain-checker.ts';
import { type BookData, isBookData, NaiveBook } from '../../perf/truth/naive-book.ts';
import { PublicationLog } from '../../perf/truth/publication-log.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { policyOf } from '../../src/delivery/delivery-policy.ts';
import { Epochs } from '../../src/delivery/epochs.ts';
import { FramePublisher } from '../../src/frame/frame-publisher.ts';
import { TopicRegistry } from '../../src/frame/topic-registry.ts';
import { allocateRing } from '../../src/ring/layout.ts';
import { allocateSequenceIndex, SequenceIndexWriter } from '../../src/ring/sequence-index.ts';
import { allocateTopicDirectory, TopicDirectoryWriter, type TopicName } from '../../src/ring/topic-directory.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import { WakeUpSender } from '../../src/ring/wake-up.ts';

/** The least that a ring holds, so that it is soon lapped. */
export const SMALL_RING_BYTES = 64 * 1024;

export interface TestPrimaryOptions {
  ringBytes?: number;
  topicsMax?: number;
  /** How far back the sequence index reaches, as that of a ring of this size; by default further than a test publishes. */
  indexedBytes?: number;
}

const MIB = 1024 * 1024;
const NOTHING: BookData = { bids: [], asks: [] };
const CONFLATION = { latest: ['ticker', 'kline'], book: ['depth'] };

/** What fills the ring, and the memory that it shares with its shards. Klines, tickers and depths are merged as usual. */
export class TestPrimary {
  readonly epoch = 'test-epoch';
  readonly epochs = new Epochs({ epoch: this.epoch, former: [] });
  readonly ring;
  readonly directory;
  readonly sequenceIndex;
  readonly publisher: FramePublisher;
  /** Everything that was published. */
  readonly log = new PublicationLog();
  /** Wake-up messages that the transmitter has sent. */
  wakes = 0;
  /** The book of each symbol that has one, and its digest after each of its publications. */
  readonly #books = new Map<string, NaiveBook>();
  readonly #digests = new Map<number, string>();
  readonly #topics: TopicDirectoryWriter;
  readonly #sender: WakeUpSender;

  constructor({ ringBytes = SMALL_RING_BYTES, topicsMax = 64, indexedBytes = MIB }: TestPrimaryOptions = {}) {
    this.ring = allocateRing(ringBytes);
    this.directory = allocateTopicDirectory(topicsMax);
    this.sequenceIndex = allocateSequenceIndex(Math.max(indexedBytes, this.ring.capacity));
    this.#topics = new TopicDirectoryWriter(this.directory);
    this.#sender = new WakeUpSender(this.ring);
    this.#sender.attach(0, { postMessage: () => this.wakes++ });
    this.publisher = new FramePublisher({
      registry: new TopicRegistry(this.#topics, (dataType) => policyOf(dataType, CONFLATION)),
      directory: this.#topics,
      index: new SequenceIndexWriter(this.sequenceIndex),
      transmitter: new Transmitter(this.ring),
      hoistedFields: () => '',
      published: () => this.#sender.wake(undefined),
      payloadBytesMax: 0,
    });
  }

  /** Publishes a trade, padded by so many characters. Returns its seq. */
  publish(symbol: string, padding = 0): number {
    return this.publishAs('trade', symbol, { padding: 'x'.repeat(padding) });
  }

  /** Publishes under another type. Its `data` also says its seq, as `n`. */
  publishAs(type: string, symbol: string, data: object = {}): number {
    const n = this.publisher.seq + 1;
    const publication: Publication = { exchange: 'binance', symbol, type, timestamp: 1, data: { ...data, n } };
    this.publisher.publish(publication, { source: 'test', dueUs: 0, receivedAtAdded: false });
    const isBook = type === 'depth' && isBookData(data);
    this.log.add({ exchange: 'binance', symbol, dataType: type }, type !== 'depth' || isBook);
    if (type === 'depth') this.#applyTo(symbol, isBook ? data : NOTHING, n);
    return n;
  }

  /** Publishes more trades than the ring holds, round robin over the symbols. */
  overrun(symbols: readonly string[]): void {
    const from = this.publisher.bytes;
    for (let i = 0; this.publisher.bytes - from < 2 * this.ring.capacity; i++)
      this.publish(symbols[i % symbols.length]!, 500);
  }

  /** Where the books that a client has built differ from what they were. */
  bookProblems({ books, record }: ChainChecker): string[] {
    return [...books.claims()].flatMap(({ topic, seq, low, high }) => {
      const { symbol } = record.topics[topic]!;
      return this.#digests.get(seq) === `${low} ${high}` ? [] : [`the book of ${symbol} at ${seq} is another`];
    });
  }

  /** A topic of which nothing has been published. Returns its id. */
  addTopic(name: TopicName): number {
    return this.#topics.add(name);
  }

  #applyTo(symbol: string, data: BookData, seq: number): void {
    const book = this.#books.get(symbol) ?? new NaiveBook();
    this.#books.set(symbol, book);
    book.apply(data);
    this.#digests.set(seq, `${book.low} ${book.high}`);
  }
}

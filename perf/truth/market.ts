import type { Publication } from '../../src/dataflow/publication.ts';
import type { TopicName } from '../../src/ring/topic-directory.ts';
import { Random } from '../../src/source/random.ts';
import type { Level } from './naive-book.ts';

export interface MarketOptions {
  seed: number;
  symbols: number;
  /** Characters of padding in each publication's data. */
  padding: number;
}

export interface MarketTopic {
  name: TopicName;
  make(seq: number): Publication;
}

/** One of the market's publications. */
export interface Made {
  topic: MarketTopic;
  publication: Publication;
}

const EXCHANGES = ['binance', 'kraken'];
/** Every so many publications of a book, the whole of it is published anew. */
const BOOK_SNAPSHOT_ODDS = 150;
const BOOK_SNAPSHOT_LEVELS = 25;
const BOOK_PRICES = 60;
/** One depth publication in so many, of the topics that have any, is no book. */
const ODD_BOOK_ODDS = 40;
const TIME_MS = 1_700_000_000_000;

/**
 * A made-up market that can be made again: the same seed gives the same publications in the same order, so whoever knows the seed
 * and how many there were knows every one of them. `data.n` of each is its seq. Few topics are busy and many are quiet. Not to be
 * told from real ones by their form; there are also types that the gateway does not know and publications that lack names.
 */
export class Market {
  readonly topics: readonly MarketTopic[];
  readonly #random: Random;
  readonly #padding: string;
  #seq = 0;

  constructor({ seed, symbols, padding }: MarketOptions) {
    this.#random = new Random(seed);
    this.#padding = '.'.repeat(padding);
    const named = Array.from({ length: symbols }, (_, n) => this.#topicsOf(EXCHANGES[n % 2] as string, `S${n}/USD`));
    const [first = [], ...others] = named;
    this.topics = [...first, ...this.#strangers(), ...others.flat()];
  }

  /** The next publication; its seq is how often this was called. */
  next(): Made {
    const seq = ++this.#seq;
    const { topics } = this;
    const random = this.#random;
    // A product of two even numbers in [0, 1) lies near 0 more often than not: the first topics are the busy ones.
    const at = Math.floor(((random.nextWord() / 2 ** 32) * random.nextWord() * topics.length) / 2 ** 32);
    const topic = topics[at] as MarketTopic;
    return { topic, publication: topic.make(seq) };
  }

  #topicsOf(exchange: string, symbol: string): MarketTopic[] {
    const pad = this.#padding;
    const data = (n: number) => ({ n, price: 100 + (n % 997) / 10, pad });
    const of = (type: string, make: (n: number) => unknown, dataType = type): MarketTopic => ({
      name: { exchange, symbol, dataType },
      make: (n) => ({ exchange, symbol, type, timestamp: TIME_MS + n, data: make(n) }),
    });
    return [
      of('trade', (n) => ({ ...data(n), id: n, quantity: 1 + (n % 7), side: n % 2 === 0 ? 'buy' : 'sell' })),
      of('depth', (n) => this.#book(n)),
      of('ticker', (n) => ({ ...data(n), lastPrice: n })),
      of('kline', (n) => ({ ...data(n), open: 1, close: n, interval: '1m' }), 'kline_1m'),
      of('kline', (n) => ({ ...data(n), open: 1, close: n, interval: '1h' }), 'kline_1h'),
      of('liquidation', data),
    ];
  }

  #strangers(): MarketTopic[] {
    return [
      {
        name: { exchange: null, symbol: null, dataType: 'notice' },
        make: (n) => ({ type: 'notice', timestamp: TIME_MS + n, data: { n } }),
      },
      {
        name: { exchange: 'binance', symbol: null, dataType: null },
        make: (n) => ({ exchange: 'binance', timestamp: TIME_MS + n, data: { n } }),
      },
      {
        name: { exchange: 'odd', symbol: 'ODD', dataType: 'depth' },
        make: (n) => ({
          exchange: 'odd',
          symbol: 'ODD',
          type: 'depth',
          timestamp: TIME_MS + n,
          data: this.#oddBook(n),
        }),
      },
    ];
  }

  #oddBook(n: number): unknown {
    return this.#random.below(ODD_BOOK_ODDS) === 0 ? { n, bids: 'closed' } : this.#book(n);
  }

  #book(n: number): unknown {
    const random = this.#random;
    const isSnapshot = random.below(BOOK_SNAPSHOT_ODDS) === 0;
    const count = () => (isSnapshot ? BOOK_SNAPSHOT_LEVELS : random.below(4));
    const levels = (side: 1 | -1): Level[] =>
      Array.from({ length: count() }, () => {
        const size = !isSnapshot && random.below(4) === 0 ? 0 : 1 + random.below(1_000);
        return [100 + (side * (1 + random.below(BOOK_PRICES))) / 8, size / 8] as const;
      });
    const data = { n, bids: levels(-1), asks: levels(1), pad: this.#padding };
    return isSnapshot ? { ...data, isSnapshot } : data;
  }
}

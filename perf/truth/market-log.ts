import type { Publication } from '../../src/dataflow/publication.ts';
import type { TopicName } from '../../src/ring/topic-directory.ts';
import { GrowingNumbers } from './growing-numbers.ts';
import { Market, type MarketOptions } from './market.ts';
import { isBookData, NaiveBook } from './naive-book.ts';
import { type LoggedTopic, PublicationLog } from './publication-log.ts';
import { topicOf } from './wire-message.ts';

interface LoggedBook {
  readonly book: NaiveBook;
  /** Both halves of the digest behind each publication of the topic, in order. */
  readonly digests: GrowingNumbers;
}

/** What was published, and what every order book looked like behind each of its publications. */
export class MarketLog {
  readonly log = new PublicationLog();
  readonly #books = new Map<LoggedTopic, LoggedBook>();

  /** Adds what was published next, as clients see it: names as the gateway sends them. */
  add(name: TopicName, { data }: Publication): void {
    const isBook = isBookData(data);
    const seq = this.log.add(name, name.dataType !== 'depth' || isBook);
    if (name.dataType !== 'depth') return;
    const topic = this.log.topic(name) as LoggedTopic;
    const { book, digests } = this.#bookOf(topic);
    if (isBook) book.apply(data);
    digests.push(book.low);
    digests.push(book.high);
    if (digests.length !== 2 * this.log.ordinalOf(topic, seq)) throw new Error('a book has missed a publication');
  }

  /** Digest of the topic's book behind publication `seq`; undefined where there is none. */
  digestAt(name: TopicName, seq: number): { low: number; high: number } | undefined {
    const topic = this.log.topic(name);
    if (topic === undefined) return undefined;
    const ordinal = this.log.ordinalOf(topic, seq);
    const digests = this.#books.get(topic)?.digests;
    if (ordinal === 0 || digests === undefined) return undefined;
    return { low: digests.at(2 * ordinal - 2), high: digests.at(2 * ordinal - 1) };
  }

  #bookOf(topic: LoggedTopic): LoggedBook {
    let logged = this.#books.get(topic);
    if (logged === undefined) {
      logged = { book: new NaiveBook(), digests: new GrowingNumbers() };
      this.#books.set(topic, logged);
    }
    return logged;
  }
}

/** The log of a market's first `total` publications. */
export function logOfMarket(options: MarketOptions, total: number): MarketLog {
  const market = new Market(options);
  const log = new MarketLog();
  for (let n = 0; n < total; n++) {
    const { topic, publication } = market.next();
    log.add(topic.name, publication);
  }
  return log;
}

/** The topic of a publication whose names are spelled as the gateway sends them. */
export function topicOfPublication(publication: Publication): TopicName {
  return topicOf({ type: '', payload: publication, timestamp: 0 });
}

import { describe, expect, it } from 'vitest';
import { Market } from '../../../perf/truth/market.ts';
import { logOfMarket, topicOfPublication } from '../../../perf/truth/market-log.ts';
import { isBookData, NaiveBook } from '../../../perf/truth/naive-book.ts';

const OPTIONS = { seed: 7, symbols: 5, padding: 10 };
const first = (count: number, options = OPTIONS) => {
  const market = new Market(options);
  return Array.from({ length: count }, () => market.next());
};

describe('a made-up market', () => {
  it('is the same again from the same seed, and another from another', () => {
    const publications = (seed: number) => first(500, { ...OPTIONS, seed }).map(({ publication }) => publication);
    expect(publications(1)).toEqual(publications(1));
    expect(publications(1)).not.toEqual(publications(2));
  });

  it('numbers its publications, and names each topic as clients see it', () => {
    for (const [n, { topic, publication }] of first(2_000).entries()) {
      expect((publication.data as { n: number }).n).toBe(n + 1);
      expect(topicOfPublication(publication)).toEqual(topic.name);
    }
  });

  it('publishes books whole and in changes, and now and then something that is none', () => {
    const books = first(50_000).filter(({ topic }) => topic.name.dataType === 'depth');
    const data = books.map(({ publication }) => publication.data as { isSnapshot?: boolean });
    expect(data.some(({ isSnapshot }) => isSnapshot === true)).toBe(true);
    expect(data.some(({ isSnapshot }) => isSnapshot === undefined)).toBe(true);
    expect(data.some((one) => !isBookData(one))).toBe(true);
  });
});

describe('the log of a market', () => {
  it('knows each topic’s publications and its book behind each of them', () => {
    const made = first(5_000);
    const log = logOfMarket(OPTIONS, made.length);
    expect(log.log.total).toBe(made.length);
    const books = new Map<string, NaiveBook>();
    for (const [n, { topic, publication }] of made.entries()) {
      const logged = log.log.topic(topic.name)!;
      const ordinal = log.log.ordinalOf(logged, n + 1);
      expect(logged.seqs.at(ordinal - 1)).toBe(n + 1);
      if (topic.name.dataType !== 'depth') continue;
      const book = books.get(topic.name.symbol!) ?? new NaiveBook();
      books.set(topic.name.symbol!, book);
      if (isBookData(publication.data)) book.apply(publication.data);
      else expect(logged.unmergeable).toContain(n + 1);
      expect(log.digestAt(topic.name, n + 1)).toEqual({ low: book.low, high: book.high });
    }
    expect(log.log.ordinalOf(log.log.topics[0]!, made.length + 1)).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { recordedPublications } from '../../perf/lib/recorded-publications.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { BookMerge } from '../../src/delivery/book-merge.ts';
import { type Depth, readDepth } from '../../src/delivery/depth.ts';
import { OrderBook } from '../../src/delivery/order-book.ts';
import { inventedRecording, realRecording } from '../support/recordings.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';

const NAMES = ['coinbase', 'bybit', 'kraken', 'binance-futures'] as const;
const RANGE_MAX = 150;

const random = new SeededRandom(seedOfRun('recorded books'));

async function depthsBySymbol(file: string): Promise<Map<string, Publication[]>> {
  const depths = (await recordedPublications(file)).filter(({ type }) => type === 'depth');
  return Map.groupBy(depths, ({ symbol }) => symbol as string);
}

/** As a shard has it: read from the text that was published. */
function asRead({ data }: Publication): Depth {
  return readDepth(JSON.parse(JSON.stringify(data))) as Depth;
}

function fullBook(book: OrderBook): Depth {
  return { bids: book.bids(), asks: book.asks(), isSnapshot: true };
}

/**
 * Three books of one symbol: one sees each publication, one only what ranges of them were merged to, and one only that or
 * the full book, as the dice fall. @returns how often they were compared
 */
function follow(published: readonly Publication[]): number {
  const [rebuilt, merged, synced] = [new OrderBook(), new OrderBook(), new OrderBook()];
  let ranges = 0;
  for (let at = 0; at < published.length; ranges++) {
    const range = published.slice(at, at + random.between(1, RANGE_MAX));
    at += range.length;
    const merge = new BookMerge();
    for (const each of range) {
      rebuilt.apply(readDepth(each.data) as Depth);
      merge.add(asRead(each));
    }
    merged.apply(merge.result());
    synced.apply(random.below(3) === 0 ? fullBook(rebuilt) : merge.result());
    const expected = JSON.stringify(fullBook(rebuilt));
    expect(JSON.stringify(fullBook(merged))).toBe(expected);
    expect(JSON.stringify(fullBook(synced))).toBe(expected);
  }
  return ranges;
}

describe('the books of a recording', () => {
  it.each(NAMES)('are the same merged as rebuilt, level for level: %s, an invented one', async (name) => {
    for (const published of (await depthsBySymbol(inventedRecording(name))).values()) follow(published);
  });

  for (const name of NAMES) {
    const file = realRecording(name);
    it.skipIf(file === undefined)(
      `are the same merged as rebuilt, level for level: ${name}, real traffic, where it is there`,
      async () => {
        const symbols = await depthsBySymbol(file as string);
        expect(symbols.size).toBeGreaterThan(0);
        for (const published of symbols.values()) expect(follow(published)).toBeGreaterThan(0);
      },
    );
  }
});

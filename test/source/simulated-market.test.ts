import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import { SimulatedMarket, type SimulatedPublication } from '../../src/source/simulated-market.ts';

type Options = Config['source']['simulator'];

const defaults: Options = {
  exchange: 'binance',
  symbolPrefix: 'SYM',
  symbols: 3,
  rate: 1_000,
  types: ['trade', 'ticker', 'kline', 'depth'],
  payloadBytes: 0,
  seed: 1,
};

const START_US = 1_700_000_000_000_123;

function publications(options: Partial<Options>, count: number, startUs = START_US): SimulatedPublication[] {
  const market = new SimulatedMarket({ ...defaults, ...options });
  return Array.from({ length: count }, (_, index) => market.next(startUs + index * 1_000));
}

const TIMES = new Set(['ts', 'timestamp', 'updateTime', 'openTime', 'closeTime']);
const withoutTimes = (list: SimulatedPublication[]) =>
  list.map((publication) => JSON.stringify(publication, (key, value) => (TIMES.has(key) ? 0 : value)));

function dataOf(type: string, count = 2_000): Record<string, unknown>[] {
  return publications({}, count)
    .filter((publication) => publication.type === type)
    .map((publication) => publication.data as Record<string, unknown>);
}

describe('SimulatedMarket', () => {
  it('gives the same content for the same seed, whenever it is due', () => {
    const first = withoutTimes(publications({}, 5_000));
    const second = withoutTimes(publications({}, 5_000, START_US + 86_400_000_000));
    expect(second).toEqual(first);
  });

  it('gives other content for another seed', () => {
    expect(withoutTimes(publications({ seed: 2 }, 100))).not.toEqual(withoutTimes(publications({}, 100)));
  });

  it('writes the due time first in data, in microseconds, and in milliseconds as the timestamp', () => {
    for (const publication of publications({}, 24)) {
      expect(Object.keys(publication)).toEqual(['type', 'exchange', 'symbol', 'timestamp', 'data']);
      expect(Object.keys(publication.data)[0]).toBe('ts');
      expect(publication.timestamp).toBe(Math.floor(publication.data.ts / 1_000));
      expect(JSON.stringify(publication).indexOf('"ts":')).toBeLessThan(200);
    }
    expect(publications({}, 2).map((publication) => publication.data.ts)).toEqual([START_US, START_US + 1_000]);
  });

  it('lets every symbol occur with every type, evenly', () => {
    const counts = new Map<string, number>();
    for (const { symbol, type } of publications({}, 1_200)) {
      counts.set(`${symbol} ${type}`, (counts.get(`${symbol} ${type}`) ?? 0) + 1);
    }
    expect(counts.size).toBe(12);
    expect(new Set(counts.values())).toEqual(new Set([100]));
  });

  it('publishes everything on one topic for one symbol and one type', () => {
    const topics = publications({ symbols: 1, types: ['trade'] }, 50).map(({ symbol, type }) => `${symbol} ${type}`);
    expect(new Set(topics)).toEqual(new Set(['SYM0 trade']));
  });

  it('makes trades with a rising id', () => {
    const trades = dataOf('trade');
    expect(Object.keys(trades[0]!)).toEqual(['ts', 'id', 'price', 'quantity', 'side', 'timestamp']);
    expect(trades.every(({ price, quantity }) => (price as number) > 0 && (quantity as number) > 0)).toBe(true);
    expect(new Set(trades.map(({ side }) => side))).toEqual(new Set(['buy', 'sell']));
  });

  it('makes tickers whose last price lies within the day and between bid and ask', () => {
    for (const ticker of dataOf('ticker') as Record<string, number>[]) {
      const { lastPrice, bidPrice, askPrice, high24h, low24h } = ticker;
      expect(bidPrice).toBeLessThan(lastPrice!);
      expect(askPrice).toBeGreaterThan(lastPrice!);
      expect(lastPrice).toBeLessThanOrEqual(high24h!);
      expect(lastPrice).toBeGreaterThanOrEqual(low24h!);
    }
  });

  it('makes candles of a minute that hold together, and begins a new one each minute of the market', () => {
    const klines = publications({ rate: 1, symbols: 1, types: ['kline'] }, 150).map(({ data }) => data as never);
    const opens = new Set(klines.map(({ openTime }) => openTime));
    expect(opens.size).toBe(3);
    for (const { open, high, low, close, interval, openTime, closeTime } of klines) {
      expect(interval).toBe('1m');
      expect(closeTime).toBe(openTime + 59_999);
      expect(low).toBeLessThanOrEqual(Math.min(open, close));
      expect(high).toBeGreaterThanOrEqual(Math.max(open, close));
    }
  });

  it('makes a whole book of five levels a side, then updates that leave it one', () => {
    const updates = publications({ symbols: 1, types: ['depth'] }, 2_000).map(
      ({ data }) => data as unknown as { bids: [number, number][]; asks: [number, number][]; isSnapshot: boolean },
    );
    const [bids, asks] = [new Map<number, number>(), new Map<number, number>()];
    for (const [index, update] of updates.entries()) {
      expect(update.isSnapshot).toBe(index === 0);
      for (const [side, levels] of [[bids, update.bids] as const, [asks, update.asks] as const]) {
        for (const [price, quantity] of levels) {
          if (quantity === 0) expect(side.delete(price)).toBe(true);
          else side.set(price, quantity);
        }
        expect(side.size).toBe(5);
      }
      expect(Math.max(...bids.keys())).toBeLessThan(Math.min(...asks.keys()));
    }
  });

  it('keeps prices within their range over a long walk', () => {
    const prices = publications({ symbols: 1, types: ['trade'] }, 200_000).map(
      ({ data }) => (data as unknown as { price: number }).price,
    );
    const first = prices[0] as number;
    expect(prices.every((price) => price > first / 5 && price < first * 5)).toBe(true);
  });

  it('pads the JSON text to about the size asked for, with the last key of data', () => {
    for (const publication of publications({ payloadBytes: 1_000 }, 400)) {
      expect(Math.abs(JSON.stringify(publication).length - 1_000)).toBeLessThan(40);
      expect(Object.keys(publication.data).at(-1)).toBe('pad');
    }
  });

  it('pads nothing that is larger already', () => {
    expect(publications({ payloadBytes: 1 }, 1)[0]!.data).not.toHaveProperty('pad');
  });
});

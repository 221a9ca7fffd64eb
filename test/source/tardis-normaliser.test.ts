import { beforeAll, describe, expect, it } from 'vitest';
import { loadTardisMappers, type TardisMappers, TardisNormaliser } from '../../src/source/tardis-normaliser.ts';

const RECORDED_US = 1_625_130_000_000_000;
const DUE_US = 1_700_000_000_000_000;

let tardis: TardisMappers;
beforeAll(async () => {
  tardis = await loadTardisMappers();
});

function normalise(exchange: string, ...messages: unknown[]) {
  const normaliser = new TardisNormaliser(tardis, exchange, RECORDED_US);
  return messages.flatMap((message) => normaliser.normalise(message, RECORDED_US, DUE_US));
}

const onStream = (stream: string, data: object) => ({ stream, data });

describe('TardisNormaliser', () => {
  it('makes trades, the due time first in data', () => {
    const match = {
      type: 'match',
      trade_id: 9,
      side: 'sell',
      size: '2',
      price: '1.5',
      product_id: 'abc-eur',
      time: '2021-03-29T06:40:00.990000Z',
    };
    const [trade] = normalise('Coinbase', match);
    const timestamp = 1_617_000_000_990;
    expect(trade).toEqual({
      type: 'trade',
      exchange: 'coinbase',
      symbol: 'ABC-EUR',
      timestamp,
      data: { ts: DUE_US, id: '9', price: 1.5, quantity: 2, side: 'buy', timestamp },
    });
    expect(Object.keys(trade?.data as object)[0]).toBe('ts');
  });

  it('makes every trade of a message that holds several', () => {
    const rows = ['5', '6'].map((price) => [price, '1', '1617100000.65', 'b', 'm', '']);
    const trades = normalise('kraken', [2, rows, 'trade', 'ABC/EUR']);
    expect(trades.map(({ data }) => (data as { price: number }).price)).toEqual([5, 6]);
  });

  it('makes depth snapshots and updates', () => {
    const snapshot = [
      1,
      { as: [['5.1', '2', '1617100000.3']], bs: [['5', '3', '1617100000.2']] },
      'book-10',
      'ABC/EUR',
    ];
    const update = [1, { a: [['5.1', '0', '1617100000.4']], c: '1' }, 'book-10', 'ABC/EUR'];
    expect(normalise('kraken', snapshot, update).map(({ type, data }) => [type, data])).toEqual([
      ['depth', { ts: DUE_US, bids: [[5, 3]], asks: [[5.1, 2]], updateTime: 1_617_100_000_300, isSnapshot: true }],
      ['depth', { ts: DUE_US, bids: [], asks: [[5.1, 0]], updateTime: 1_617_100_000_400, isSnapshot: false }],
    ]);
  });

  it('takes the recorded time where an exchange gives none', () => {
    const [depth] = normalise('kraken', [1, { as: [], bs: [] }, 'book-10', 'ABC/EUR']);
    expect(depth?.timestamp).toBe(RECORDED_US / 1_000);
  });

  it('lets a ticker carry all that is known so far, the last trade included', () => {
    const quote = onStream('abcusdt@bookTicker', { s: 'ABCUSDT', b: '10', a: '11', E: 1_625_130_000_001 });
    const trade = onStream('abcusdt@trade', { e: 'trade', s: 'ABCUSDT', t: 1, p: '10.5', q: '1', T: 1, m: false });
    const day = onStream('abcusdt@ticker', {
      e: '24hrTicker',
      E: 1,
      s: 'ABCUSDT',
      c: '12',
      P: '2',
      v: '7',
      h: '13',
      l: '9',
    });
    const tickers = normalise('binance', quote, trade, quote, day).filter(({ type }) => type === 'ticker');
    expect(tickers.map(({ data }) => data)).toMatchObject([
      { bidPrice: 10, askPrice: 11 },
      { bidPrice: 10, askPrice: 11, lastPrice: 10.5 },
      { bidPrice: 10, askPrice: 11, lastPrice: 12, change24h: 2, volume24h: 7, high24h: 13, low24h: 9 },
    ]);
    expect(tickers[0]?.data).not.toHaveProperty('lastPrice');
  });

  it("makes Binance's candles klines, with their interval in data", () => {
    const k = { t: 60_000, T: 119_999, s: 'ABCUSDT', i: '5m', o: '1', c: '2', h: '3', l: '0.5', v: '4', x: true };
    const [kline] = normalise('binance-futures', onStream('abcusdt@kline_5m', { e: 'kline', E: 9, s: 'ABCUSDT', k }));
    expect(kline).toMatchObject({ type: 'kline', symbol: 'ABCUSDT', timestamp: 9 });
    expect(kline?.data).toEqual({
      ts: DUE_US,
      open: 1,
      high: 3,
      low: 0.5,
      close: 2,
      volume: 4,
      openTime: 60_000,
      closeTime: 119_999,
      interval: '5m',
      closed: true,
    });
  });

  it("tells Binance's partial books, each whole, from depth updates", () => {
    const update = { e: 'depthUpdate', E: 5, s: 'ABCUSDT', b: [['1', '2']], a: [] };
    const spot = { lastUpdateId: 3, bids: [['1', '2']], asks: [['2', '3']] };
    const published = normalise(
      'binance',
      onStream('abcusdt@depth@100ms', update),
      onStream('abcusdt@depth20@100ms', update),
      onStream('abcusdt@depth5', spot),
    );
    expect(published.map(({ symbol, data }) => [symbol, (data as { isSnapshot: boolean }).isSnapshot])).toEqual([
      ['ABCUSDT', false],
      ['ABCUSDT', true],
      ['ABCUSDT', true],
    ]);
  });

  it('says nothing of control messages', () => {
    expect(normalise('kraken', { event: 'heartbeat' })).toEqual([]);
    expect(normalise('coinbase', { type: 'subscriptions', channels: [] })).toEqual([]);
    expect(normalise('bybit', { success: true })).toEqual([]);
    expect(normalise('binance', { result: null, id: 1 })).toEqual([]);
  });

  it.each([
    ['kraken', null],
    ['kraken', 5],
    ['kraken', [1, 2]],
    ['bybit', { topic: 'trade.ABC', data: null }],
    ['coinbase', { type: 'snapshot', product_id: 'A' }],
    ['coinbase', { type: 'match', product_id: 'A', price: 'x', time: '' }],
    ['binance', onStream('a@depth', { e: 'depthUpdate', s: 'A', b: 1 })],
    ['binance', onStream('a@kline_1m', { e: 'kline', s: 'A' })],
    ['binance', onStream('a@kline_1m', { e: 'kline', s: 'A', k: { o: '1', h: '1', l: '1', c: 'x', v: '1' } })],
    ['binance', onStream('a@aggTrade', { e: 'aggTrade', a: 1, p: '1', q: '1', T: 1 })],
    ['binance', onStream('@depth5', { lastUpdateId: 1, bids: [], asks: [] })],
    ['coinbase', { type: 'ticker', price: '1' }],
    ['kraken', [1, { as: [['x', '1', '1']], bs: [] }, 'book-10', 'A/B']],
  ])('throws at a message of %s that has another shape: %j', (exchange, message) => {
    expect(() => normalise(exchange, message)).toThrow();
  });

  it('refuses an exchange that is not known, and says which are', () => {
    expect(() => normalise('nasdaq')).toThrow(expect.objectContaining({ code: 'RECORDING_UNREADABLE' }));
    expect(() => normalise('nasdaq')).toThrow(/cannot be "nasdaq"; allowed: .*coinbase/);
  });
});

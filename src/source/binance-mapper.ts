import { type MarketEvent, priceLevels, type SupplementMapper, symbolIn } from './market-event.ts';

type Fields = Record<string, unknown>;

/** A stream of the best 5, 10 or 20 levels: each message is a whole book. */
const PARTIAL_BOOK_STREAM = /@depth(5|10|20)(@|$)/;

/**
 * Binance's combined streams, `{"stream":"btcusdt@aggTrade","data":{…}}`. The mappers of tardis-dev know neither aggregated
 * trades nor candles, and keep depth updates back until a snapshot that only their own recordings contain. Fields after
 * Binance's documentation of its market streams.
 */
export const binanceMapper: SupplementMapper = {
  map(message) {
    const { stream, data } = message as { stream?: unknown; data?: Fields };
    if (typeof stream !== 'string' || typeof data !== 'object' || data === null) return undefined;
    if (data.e === 'aggTrade') return aggregatedTrade(data);
    if (data.e === 'kline') return kline(data);
    if (data.e === '24hrTicker') return ticker(data);
    if (data.e === 'depthUpdate') {
      return depth(symbolIn(data.s), PARTIAL_BOOK_STREAM.test(stream), data.b, data.a, Number(data.E));
    }
    if (data.lastUpdateId !== undefined) return wholeBook(stream, data);
    return undefined;
  },
};

function aggregatedTrade(data: Fields): MarketEvent {
  return {
    type: 'trade',
    symbol: symbolIn(data.s),
    timestamp: Number(data.T),
    id: String(data.a),
    price: Number(data.p),
    quantity: Number(data.q),
    side: data.m === true ? 'sell' : 'buy',
  };
}

function kline(data: Fields): MarketEvent {
  const candle = data.k as Fields;
  return {
    type: 'kline',
    symbol: symbolIn(data.s),
    timestamp: Number(data.E),
    candle: {
      open: Number(candle.o),
      high: Number(candle.h),
      low: Number(candle.l),
      close: Number(candle.c),
      volume: Number(candle.v),
      openTime: Number(candle.t),
      closeTime: Number(candle.T),
      interval: String(candle.i),
      closed: candle.x === true,
    },
  };
}

function ticker(data: Fields): MarketEvent {
  const fields = {
    lastPrice: Number(data.c),
    change24h: Number(data.P),
    volume24h: Number(data.v),
    high24h: Number(data.h),
    low24h: Number(data.l),
  };
  return { type: 'ticker', symbol: symbolIn(data.s), timestamp: Number(data.E), fields };
}

/** A partial book of the spot market names no symbol but the stream's. */
function wholeBook(stream: string, data: Fields): MarketEvent {
  const symbol = symbolIn(stream.split('@', 1)[0]);
  return depth(symbol, true, data.bids, data.asks, Number(data.T ?? Number.NaN));
}

function depth(symbol: string, isSnapshot: boolean, bids: unknown, asks: unknown, timestamp: number): MarketEvent {
  return { type: 'depth', symbol, timestamp, isSnapshot, bids: priceLevels(bids), asks: priceLevels(asks) };
}

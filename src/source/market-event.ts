/**
 * What the normalisers of exchange messages have in common: one event of a market, before it becomes a publication.
 * Times in ms since the epoch; a time that is not a number is replaced by when the message was recorded.
 */
export type MarketEvent = TradeEvent | TickerEvent | KlineEvent | DepthEvent;

export interface TradeEvent {
  type: 'trade';
  symbol: string;
  timestamp: number;
  id: string | undefined;
  price: number;
  quantity: number;
  side: string;
}

/** Only what the message says of the market; what is absent or undefined is as it was before. */
export interface TickerEvent {
  type: 'ticker';
  symbol: string;
  timestamp: number;
  fields: Record<string, number | undefined>;
}

export interface KlineEvent {
  type: 'kline';
  symbol: string;
  timestamp: number;
  candle: {
    open: number;
    high: number;
    low: number;
    close: number;
    volume: number;
    openTime: number;
    closeTime: number;
    interval: string;
    /** The candle will not change any more. */
    closed: boolean;
  };
}

export interface DepthEvent {
  type: 'depth';
  symbol: string;
  timestamp: number;
  /** True: the levels replace the book; false: they are changes, a quantity of 0 removing a level. */
  isSnapshot: boolean;
  bids: [price: number, quantity: number][];
  asks: [price: number, quantity: number][];
}

/** Maps the messages of an exchange that the tardis-dev mappers pass over, or map to less than they say. */
export interface SupplementMapper {
  /** The event in a message; undefined where it is none of this mapper's, and the others should look at it. */
  map(message: Record<string, unknown>): MarketEvent | undefined;
}

/** The symbol that a message names. @throws TypeError where it names none */
export function symbolIn(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new TypeError('the message names no symbol');
  return value;
}

/** Price levels as exchanges write them, `["price", "quantity", …]`, as numbers. @throws TypeError for other shapes */
export function priceLevels(levels: unknown): [number, number][] {
  if (!Array.isArray(levels)) throw new TypeError('the price levels are not an array');
  return levels.map((level) => [Number(level[0]), Number(level[1])]);
}

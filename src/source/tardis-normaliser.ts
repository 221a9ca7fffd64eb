import type { BookChange, BookPriceLevel, BookTicker, DerivativeTicker, NormalizedData, Trade } from 'tardis-dev';
import type { Publication } from '../dataflow/publication.ts';
import { TickcastError } from '../util/errors.ts';
import { binanceMapper } from './binance-mapper.ts';
import { coinbaseMapper } from './coinbase-mapper.ts';
import type { MarketEvent, SupplementMapper, TickerEvent } from './market-event.ts';

const US_PER_MS = 1_000;

/** A mapper of tardis-dev: stateful, made for one connection to one exchange at one time. */
interface TardisMapper {
  canHandle(message: unknown): boolean;
  map(message: unknown, localTimestamp: Date): Iterable<NormalizedData> | undefined;
}

/** Each factory is typed by the exchanges that it knows, and throws for others; here the exchange is any string. */
type MapperFactory = (exchange: never, localTimestamp: Date) => TardisMapper;

/** The part of tardis-dev that is used here. */
export interface TardisMappers {
  EXCHANGES: readonly string[];
  normalizeTrades: MapperFactory;
  normalizeBookChanges: MapperFactory;
  normalizeBookTickers: MapperFactory;
  normalizeDerivativeTickers: MapperFactory;
}

const SUPPLEMENTS: ReadonlyMap<string, SupplementMapper> = new Map([
  ['binance', binanceMapper],
  ['binance-us', binanceMapper],
  ['binance-futures', binanceMapper],
  ['binance-delivery', binanceMapper],
  ['coinbase', coinbaseMapper],
]);

/**
 * Loads tardis-dev: some 0.15 s and 30 MB, so only when a recording is played. It opens nothing by being loaded.
 */
export async function loadTardisMappers(): Promise<TardisMappers> {
  return await import('tardis-dev');
}

/**
 * Turns the messages of one exchange, as one connection received them, into publications. Trades, depth and best prices
 * come from the mappers of tardis-dev, the rest from mappers of our own. A ticker carries all that is known of its symbol
 * so far, the last trade's price included, so that the newest can stand for those before.
 */
export class TardisNormaliser {
  readonly #exchange: string;
  readonly #supplement: SupplementMapper | undefined;
  readonly #mappers: TardisMapper[];
  readonly #tickers = new Map<string, Record<string, number>>();

  /**
   * @param exchange tardis-dev id
   * @param recordedUs when the connection opened, µs since the epoch: exchanges have changed their formats over the years
   * @throws TickcastError RECORDING_UNREADABLE for an exchange that tardis-dev does not know
   */
  constructor(tardis: TardisMappers, exchange: string, recordedUs: number) {
    this.#exchange = exchange.toLowerCase();
    this.#supplement = SUPPLEMENTS.get(this.#exchange);
    this.#mappers = createMappers(tardis, this.#exchange, new Date(recordedUs / US_PER_MS));
  }

  /**
   * The publications in one message; none for what says nothing of the market, such as a heartbeat.
   * @param message parsed JSON
   * @param recordedUs when the message came in, µs since the epoch
   * @param dueUs becomes the first key of `data`, `ts`
   * @throws whatever a mapper throws at a message of an unexpected shape; then nothing of it is published
   */
  normalise(message: unknown, recordedUs: number, dueUs: number): Publication[] {
    if (typeof message !== 'object' || message === null) throw new TypeError('the message is not an object or array');
    const recordedMs = Math.floor(recordedUs / US_PER_MS);
    return this.#events(message, recordedUs).map((event) => this.#publication(event, recordedMs, dueUs));
  }

  #events(message: object, recordedUs: number): MarketEvent[] {
    const own = this.#supplement?.map(message as Record<string, unknown>);
    if (own !== undefined) return [own];
    const events: MarketEvent[] = [];
    const localTimestamp = new Date(recordedUs / US_PER_MS);
    for (const mapper of this.#mappers) {
      if (!mapper.canHandle(message)) continue;
      for (const mapped of mapper.map(message, localTimestamp) ?? []) {
        const event = eventOf(mapped);
        if (event !== undefined) events.push(event);
      }
    }
    return events;
  }

  #publication(event: MarketEvent, recordedMs: number, dueUs: number): Publication {
    const symbol = event.symbol.toUpperCase();
    const timestamp = Number.isFinite(event.timestamp) ? event.timestamp : recordedMs;
    const data = { ts: dueUs, ...this.#data(event, symbol, timestamp) };
    return { type: event.type, exchange: this.#exchange, symbol, timestamp, data };
  }

  #data(event: MarketEvent, symbol: string, timestamp: number): object {
    switch (event.type) {
      case 'trade': {
        const { id, price, quantity, side } = event;
        requireNumbers('trade', price, quantity);
        this.#ticker(symbol).lastPrice = price;
        return { id, price, quantity, side, timestamp };
      }
      case 'ticker':
        return { ...this.#mergeTicker(symbol, event), timestamp };
      case 'kline': {
        const { open, high, low, close, volume } = event.candle;
        requireNumbers('kline', open, high, low, close, volume);
        return event.candle;
      }
      case 'depth': {
        const { bids, asks, isSnapshot } = event;
        for (const levels of [bids, asks]) for (const level of levels) requireNumbers('depth', level[0], level[1]);
        return { bids, asks, updateTime: timestamp, isSnapshot };
      }
    }
  }

  #mergeTicker(symbol: string, { fields }: TickerEvent): Record<string, number> {
    const ticker = this.#ticker(symbol);
    for (const [name, value] of Object.entries(fields)) {
      if (Number.isFinite(value)) ticker[name] = value as number;
    }
    return ticker;
  }

  #ticker(symbol: string): Record<string, number> {
    let ticker = this.#tickers.get(symbol);
    if (ticker === undefined) {
      ticker = {};
      this.#tickers.set(symbol, ticker);
    }
    return ticker;
  }
}

/** What is not a number would go out as null. */
function requireNumbers(type: string, ...values: number[]): void {
  if (!values.every(Number.isFinite)) throw new TypeError(`a figure of the ${type} is not a number`);
}

/** Every exchange has trades; the rest it may lack. */
function createMappers(tardis: TardisMappers, exchange: string, opened: Date): TardisMapper[] {
  const id = exchange as never;
  try {
    const trades = tardis.normalizeTrades(id, opened);
    const others = [tardis.normalizeBookChanges, tardis.normalizeBookTickers, tardis.normalizeDerivativeTickers];
    return [trades, ...others.flatMap((create) => mapperIfAny(create, id, opened))];
  } catch (thrown) {
    const allowed = tardis.EXCHANGES.join(', ');
    const message = `The exchange of a recording cannot be "${exchange}"; allowed: ${allowed}`;
    throw new TickcastError('RECORDING_UNREADABLE', message, { exchange }, thrown);
  }
}

function mapperIfAny(create: MapperFactory, exchange: never, opened: Date): TardisMapper[] {
  try {
    return [create(exchange, opened)];
  } catch {
    return [];
  }
}

function eventOf(mapped: NormalizedData): MarketEvent | undefined {
  const { symbol } = mapped;
  const timestamp = mapped.timestamp.valueOf();
  switch (mapped.type) {
    case 'trade': {
      const { id, price, amount: quantity, side } = mapped as Trade;
      return { type: 'trade', symbol, timestamp, id, price, quantity: Number(quantity), side };
    }
    case 'book_change': {
      const { isSnapshot, bids, asks } = mapped as BookChange;
      return { type: 'depth', symbol, timestamp, isSnapshot, bids: bids.map(levelOf), asks: asks.map(levelOf) };
    }
    case 'book_ticker': {
      const { bidPrice, askPrice } = mapped as BookTicker;
      return { type: 'ticker', symbol, timestamp, fields: { bidPrice, askPrice } };
    }
    case 'derivative_ticker': {
      const { lastPrice, markPrice, indexPrice, fundingRate, openInterest } = mapped as DerivativeTicker;
      const fields = { lastPrice, markPrice, indexPrice, fundingRate, openInterest };
      return { type: 'ticker', symbol, timestamp, fields };
    }
    default:
      return undefined;
  }
}

function levelOf({ price, amount }: BookPriceLevel): [number, number] {
  return [price, Number(amount)];
}

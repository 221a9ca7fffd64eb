import type { Config, DATA_TYPES_SIMULATED } from '../config/schema.ts';
import { Random } from './random.ts';
import { SimulatedSymbol } from './simulated-symbol.ts';

type DataType = (typeof DATA_TYPES_SIMULATED)[number];
type MarketOptions = Config['source']['simulator'];

const US_PER_MS = 1_000;
const SECONDS_PER_MINUTE = 60;
const PAD_FIELD_BYTES = ',"pad":""'.length;

/** A publication of the simulator, its keys in the order in which they are written. */
export interface SimulatedPublication {
  [key: string]: unknown;
  type: DataType;
  exchange: string;
  symbol: string;
  /** Due time in ms since the epoch. */
  timestamp: number;
  /** By type as in the protocol; `ts`, the due time in µs, is its first key. */
  data: { ts: number; pad?: string };
}

/**
 * The content of the simulated market: the same options give the same publications in the same order, whenever they are
 * due. Symbols take turns; from one turn to the next each goes on to its next type, so that every pair occurs.
 */
export class SimulatedMarket {
  readonly #exchange: string;
  readonly #symbols: SimulatedSymbol[] = [];
  readonly #types: readonly DataType[];
  readonly #payloadBytes: number;
  readonly #publicationsPerMinute: number;
  readonly #padOfType = new Map<DataType, string>();
  #published = 0;
  #symbol = 0;
  #round = 0;

  constructor(options: MarketOptions) {
    this.#exchange = options.exchange;
    this.#types = options.types;
    this.#payloadBytes = options.payloadBytes;
    this.#publicationsPerMinute = options.rate * SECONDS_PER_MINUTE;
    const random = new Random(options.seed);
    for (let index = 0; index < options.symbols; index++) {
      this.#symbols.push(new SimulatedSymbol(`${options.symbolPrefix}${index}`, random));
    }
  }

  /** The next publication, owned by the caller. @param dueUs whole µs since the epoch */
  next(dueUs: number): SimulatedPublication {
    const symbol = this.#symbols[this.#symbol] as SimulatedSymbol;
    const type = this.#types[(this.#round + this.#symbol) % this.#types.length] as DataType;
    const timestamp = Math.floor(dueUs / US_PER_MS);
    const data = this.#data(symbol, type, dueUs, timestamp);
    const publication = { type, exchange: this.#exchange, symbol: symbol.name, timestamp, data };
    if (this.#payloadBytes > 0) this.#pad(publication);
    this.#moveOn();
    return publication;
  }

  #data(symbol: SimulatedSymbol, type: DataType, dueUs: number, timestamp: number): { ts: number; pad?: string } {
    if (type === 'trade') return symbol.trade(dueUs, timestamp);
    if (type === 'ticker') return symbol.ticker(dueUs);
    if (type === 'depth') return symbol.depth(dueUs, timestamp);
    return symbol.kline(dueUs, timestamp, Math.floor(this.#published / this.#publicationsPerMinute));
  }

  #moveOn(): void {
    this.#published++;
    if (++this.#symbol < this.#symbols.length) return;
    this.#symbol = 0;
    this.#round++;
  }

  /**
   * The first publication of a type is measured; the others of that type differ from it by a few digits. Only books have
   * now more levels, now fewer: each is measured.
   */
  #pad(publication: SimulatedPublication): void {
    const { type } = publication;
    const pad = (type === 'depth' ? undefined : this.#padOfType.get(type)) ?? this.#padFor(publication);
    this.#padOfType.set(type, pad);
    if (pad !== '') publication.data.pad = pad;
  }

  #padFor(publication: SimulatedPublication): string {
    const missing = this.#payloadBytes - JSON.stringify(publication).length - PAD_FIELD_BYTES;
    return '.'.repeat(Math.max(0, missing));
  }
}

import { nowMs } from '../util/clock.ts';
import { TickcastError } from '../util/errors.ts';
import type { DataTransformer, TransformerStats } from './data-transformer.ts';
import type { Publication, PublicationContext } from './publication.ts';
import { TransformerMeter } from './transformer-meter.ts';

export type Refusal = 'PUBLICATION_NOT_OBJECT' | 'PUBLICATION_INVALID';

/**
 * The first transformer of every manager: gives exchange, symbol, type and timestamp one spelling, so that everything
 * after it can compare with `===`, and adds `receivedAt`. Runs on the primary thread, for each publication.
 *
 * What is written differently goes into a shallow copy: the caller's object stays as it was, frozen or not. Measured on
 * Node 24, copying the usual six keys costs what adding a key in place does, some 15 ns.
 */
export class NormalisingTransformer implements DataTransformer {
  readonly name = 'normaliser';
  readonly #meter = new TransformerMeter();

  /**
   * @param input anything that claims to be a publication
   * @param context `receivedAtAdded` is set here
   * @param receivedAtMs what `receivedAt` becomes where it is missing
   * @returns the normalised publication, or the code of the refusal
   */
  normalise(input: unknown, context: PublicationContext, receivedAtMs: number): Publication | Refusal {
    const beganMs = this.#meter.sampling ? performance.now() : 0;
    const result = normalise(input, context, receivedAtMs);
    if (typeof result === 'string') this.#meter.failed(receivedAtMs);
    else this.#meter.transformed(receivedAtMs);
    if (beganMs > 0) this.#meter.sample(performance.now() - beganMs);
    return result;
  }

  /** Counts a publication that was found to be normalised elsewhere. */
  passed(atMs: number): void {
    this.#meter.transformed(atMs);
  }

  /** The same as a transformer among others. Throws a TickcastError with the code of the refusal. */
  transform(data: Publication, context: PublicationContext = freshContext()): Publication {
    const result = this.normalise(data, context, nowMs());
    if (typeof result === 'string') throw new TickcastError(result);
    return result;
  }

  validate(data: Publication): boolean {
    return data.type === undefined || data.type === null || typeof data.type === 'string';
  }

  getStats(): TransformerStats {
    return this.#meter.read();
  }
}

/** As `NormalisingTransformer.normalise`, without counting. May throw where the input's own getters or toJSON do. */
export function normalise(input: unknown, context: PublicationContext, receivedAtMs: number): Publication | Refusal {
  const given = asJsonObject(input);
  if (given === undefined) return 'PUBLICATION_NOT_OBJECT';
  const type: unknown = given.type;
  if (type !== undefined && type !== null && typeof type !== 'string') return 'PUBLICATION_INVALID';

  let own: Publication | undefined;
  const exchange: unknown = given.exchange;
  if (typeof exchange === 'string') {
    const lower = exchange.toLowerCase();
    if (lower !== exchange) {
      own = { ...given };
      own.exchange = lower;
    }
  }
  const symbol: unknown = given.symbol;
  if (typeof symbol === 'string') {
    const upper = symbol.toUpperCase();
    if (upper !== symbol) {
      own ??= { ...given };
      own.symbol = upper;
    }
  }
  if (typeof type === 'string' && !isCanonical(type)) own = renameType(type, given, own);
  const timestamp: unknown = given.timestamp;
  if (typeof timestamp === 'string') {
    const ms = numberIn(timestamp);
    if (ms !== undefined) {
      own ??= { ...given };
      own.timestamp = ms;
    }
  }
  const receivedAt: unknown = given.receivedAt;
  if (receivedAt === undefined || receivedAt === null) {
    own ??= { ...given };
    own.receivedAt = receivedAtMs;
    context.receivedAtAdded = true;
  }
  return own ?? given;
}

/** Whether normalising leaves the publication as it is. */
export function isNormal(publication: Publication): boolean {
  return normalise(publication, freshContext(), 0) === publication;
}

/** Spellings of the data types that are known; in lower case. */
const TYPE_ALIASES = new Map([
  ['trade', 'trade'],
  ['trades', 'trade'],
  ['ticker', 'ticker'],
  ['24hrticker', 'ticker'],
  ['kline', 'kline'],
  ['depth', 'depth'],
  ['orderbook', 'depth'],
]);
const KLINE_PREFIX = 'kline_';

function isCanonical(type: string): boolean {
  return type === 'trade' || type === 'ticker' || type === 'depth' || type === 'kline';
}

/** Unknown types stay as they are. The interval of a kline keeps its case: `1m` is a minute, `1M` a month. */
function renameType(type: string, given: Publication, own: Publication | undefined): Publication | undefined {
  const lower = type.toLowerCase();
  if (lower.startsWith(KLINE_PREFIX)) {
    const copy = own ?? { ...given };
    copy.type = 'kline';
    const data = withInterval(given.data, type.slice(KLINE_PREFIX.length));
    if (data !== given.data) copy.data = data;
    return copy;
  }
  const alias = TYPE_ALIASES.get(lower);
  if (alias === undefined) return own;
  const copy = own ?? { ...given };
  copy.type = alias;
  return copy;
}

function withInterval(data: unknown, interval: string): unknown {
  if (interval === '' || typeof data !== 'object' || data === null || Array.isArray(data)) return data;
  const given = (data as { interval?: unknown }).interval;
  return given === undefined || given === null ? { ...data, interval } : data;
}

/** The number that a string is, or undefined for an ISO date and everything else. */
function numberIn(text: string): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) && text.trim() !== '' ? value : undefined;
}

/** The input as JSON would see it, or undefined where that is not an object. */
function asJsonObject(input: unknown): Publication | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const prototype: unknown = Object.getPrototypeOf(input);
  if (prototype === Object.prototype || prototype === null) return input as Publication;
  return instanceAsJson(input);
}

/** Arrays, dates, maps, buffers, promises and the like have a tag of their own; instances of plain classes have none. */
function instanceAsJson(input: object): Publication | undefined {
  if (Object.prototype.toString.call(input) !== '[object Object]') return undefined;
  const instance = input as { toJSON?: unknown };
  if (typeof instance.toJSON !== 'function') return input as Publication;
  // The copy would lose a toJSON that the class holds, so it speaks here.
  const json: unknown = instance.toJSON('');
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Publication) : undefined;
}

function freshContext(): PublicationContext {
  return { source: 'direct', dueUs: nowMs() * 1000, receivedAtAdded: false };
}

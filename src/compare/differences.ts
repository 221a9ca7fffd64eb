import { dataTypeForm } from '../subscription/normal-form.ts';
import { DEPTH_MAX } from './canonical-text.ts';
import { derivedFields, mayBeDerived } from './derived-fields.ts';
import { asFields, type Fields, ownValue } from './fields.ts';
import { ITEM } from './ignored-paths.ts';

/**
 * `value`: something else, or only on one side. `type`: the same number or moment, once as a number and once as a text.
 * `spelling`: the same exchange, symbol or data type, written differently. `derived`: only on one side, and only what
 * its own data says once more.
 */
export type DifferenceKind = 'value' | 'type' | 'spelling' | 'derived';

/** One way in which two publications that are the same differ. What one side does not have is undefined. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** Such as `data.bids[][]`; items of a list have no number. */
  readonly path: string;
  readonly old: unknown;
  readonly new: unknown;
}

/** A publication as one server sent it. */
export interface SentPublication {
  readonly type: string | undefined;
  readonly payload: Fields;
  /** What its data say, also at the top, where something has been taken out of them since; undefined: nothing has. */
  readonly derived?: Fields | undefined;
}

export interface CompareRules {
  /** One of them is an order book made of several updates: its levels are not those of the other. */
  readonly isMergedBook: boolean;
}

/** Fields in which publications of one topic can only be written differently. */
const NAME_FIELDS = ['exchange', 'symbol'] as const;
const BOOK_PATHS: ReadonlySet<string> = new Set(['data.bids', 'data.asks', 'data.isSnapshot']);
const INTERVAL_PATH = 'data.interval';
/** More of one pair say nothing new. */
const DIFFERENCES_MAX = 200;

/** Each path at most once, with the first pair of values that differ there. */
export function differencesOf(old: SentPublication, now: SentPublication, rules: CompareRules): Difference[] {
  return new PairComparison(old, now, rules).run();
}

class PairComparison {
  readonly #old: SentPublication;
  readonly #new: SentPublication;
  readonly #rules: CompareRules;
  readonly #found = new Map<string, Difference>();

  constructor(old: SentPublication, now: SentPublication, rules: CompareRules) {
    this.#old = old;
    this.#new = now;
    this.#rules = rules;
  }

  run(): Difference[] {
    const [old, now] = [this.#old.payload, this.#new.payload];
    if (this.#old.type !== this.#new.type) this.#add('spelling', 'type', this.#old.type, this.#new.type);
    for (const key of keysOf(old, now)) this.#compareTop(key, ownValue(old, key), ownValue(now, key));
    return [...this.#found.values()];
  }

  #compareTop(key: string, old: unknown, now: unknown): void {
    if (key === 'type' || old === now) return;
    const isName = NAME_FIELDS.some((name) => name === key) && typeof old === 'string' && typeof now === 'string';
    if (isName) this.#add('spelling', key, old, now);
    else if (key === 'timestamp' && isSameMoment(old, now)) this.#add('type', key, old, now);
    else if (this.#isHoisted(key, old, now)) this.#add('derived', key, old, now);
    else this.#compare(key, old, now, 1);
  }

  #compare(path: string, old: unknown, now: unknown, depth: number): void {
    if (old === now || depth > DEPTH_MAX || (this.#rules.isMergedBook && BOOK_PATHS.has(path))) return;
    if (Array.isArray(old) && Array.isArray(now)) return this.#compareItems(path, old, now, depth);
    const [oldFields, newFields] = [asFields(old), asFields(now)];
    if (oldFields === undefined || newFields === undefined) return this.#addLeaf(path, old, now);
    for (const key of keysOf(oldFields, newFields)) {
      this.#compare(`${path}.${key}`, ownValue(oldFields, key), ownValue(newFields, key), depth + 1);
    }
  }

  #compareItems(path: string, old: readonly unknown[], now: readonly unknown[], depth: number): void {
    const length = Math.max(old.length, now.length);
    for (let at = 0; at < length; at++) this.#compare(path + ITEM, old[at], now[at], depth + 1);
  }

  #addLeaf(path: string, old: unknown, now: unknown): void {
    if (path === INTERVAL_PATH && this.#isIntervalOfType(old, now)) this.#add('derived', path, old, now);
    else this.#add(isSameNumber(old, now) ? 'type' : 'value', path, old, now);
  }

  #add(kind: DifferenceKind, path: string, old: unknown, now: unknown): void {
    const key = `${kind} ${path}`;
    if (this.#found.size < DIFFERENCES_MAX && !this.#found.has(key))
      this.#found.set(key, { kind, path, old, new: now });
  }

  /** What front ends read from the top, and one server copies there from `data`. */
  #isHoisted(key: string, old: unknown, now: unknown): boolean {
    if (!mayBeDerived(key) || (old !== undefined && now !== undefined)) return false;
    const { type, payload, derived = derivedFields(type, payload) } = old === undefined ? this.#new : this.#old;
    return derived[key] === payload[key];
  }

  /** `kline_1m` on one side, `kline` with the interval in its data on the other: they are of one topic. */
  #isIntervalOfType(old: unknown, now: unknown): boolean {
    const lacking = old === undefined ? this.#old : now === undefined ? this.#new : undefined;
    return lacking?.type !== undefined && dataTypeForm(lacking.type) === `kline_${old ?? now}`;
  }
}

function keysOf(old: Fields, now: Fields): Iterable<string> {
  const keys = Object.keys(old);
  for (const key of Object.keys(now)) if (!Object.hasOwn(old, key)) keys.push(key);
  return keys;
}

function isSameNumber(old: unknown, now: unknown): boolean {
  const [text, number] = typeof old === 'string' ? [old, now] : [now, old];
  return typeof text === 'string' && typeof number === 'number' && text.trim() !== '' && Number(text) === number;
}

function isSameMoment(old: unknown, now: unknown): boolean {
  return isSameNumber(old, now) || (typeof old !== typeof now && momentMs(old) === momentMs(now));
}

/** Milliseconds since the epoch that a timestamp tells; NaN where it tells none. */
export function momentMs(timestamp: unknown): number {
  if (typeof timestamp === 'number') return timestamp;
  return typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
}

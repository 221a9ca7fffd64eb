import type { Fields } from './fields.ts';
import { SignedHistogram } from './signed-histogram.ts';
import { valueText } from './value-text.ts';

/** A while without a connection, on the clock of the arrivals. */
export interface Outage {
  readonly fromMs: number;
  /** Undefined while it lasts. */
  toMs: number | undefined;
  readonly code: number;
  readonly reason: string;
}

/** How long before a loss was noticed, and after a connection stood again, its server may have missed something. */
export interface OutageSlack {
  readonly beforeMs: number;
  readonly afterMs: number;
}

const OUTAGES_KEPT = 1_000;
const ERRORS_KEPT = 3;
const TYPES_MAX = 50;
const OTHER_TYPES = '(others)';
/** A timestamp that is further off than this, ms, is not that of something that happens now. */
const SANE_AGE_MS = 3_600_000;

/** What one server has sent, publications and everything else. */
export class ServerTally {
  messages = 0;
  bytes = 0;
  publications = 0;
  /** Publications that the filter does not match. */
  filtered = 0;
  /** Publications of topics beyond the limit. */
  beyondTopics = 0;
  /** Messages that are no JSON objects. */
  unusable = 0;
  /** Publications that others stood for, and that it said will not come. */
  merged = 0;
  dropped = 0;
  disconnects = 0;
  /** Errors that it told, the first few. */
  readonly errors: string[] = [];
  /** The newest ones. */
  readonly outages: Outage[] = [];
  /** How old its publications were when they came, by their own timestamps. */
  readonly age = new SignedHistogram();
  readonly #others = new Map<string, number>();

  /** Messages that are not compared, by type. */
  get others(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#others);
  }

  addOther(type: string, message: Fields): void {
    const known = this.#others.has(type) || this.#others.size < TYPES_MAX ? type : OTHER_TYPES;
    this.#others.set(known, (this.#others.get(known) ?? 0) + 1);
    if (type === 'error' && this.errors.length < ERRORS_KEPT) this.errors.push(valueText(message.payload ?? message));
  }

  addAge(ageMs: number): void {
    if (Math.abs(ageMs) <= SANE_AGE_MS) this.age.add(ageMs);
  }

  lost(outage: Outage): void {
    this.disconnects++;
    this.outages.push(outage);
    if (this.outages.length > OUTAGES_KEPT) this.outages.shift();
  }

  isAway(atMs: number, { beforeMs, afterMs }: OutageSlack): boolean {
    return this.outages.some(
      ({ fromMs, toMs }) => atMs >= fromMs - beforeMs && (toMs === undefined || atMs < toMs + afterMs),
    );
  }
}

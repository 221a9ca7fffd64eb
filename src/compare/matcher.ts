import { Deque } from '../util/deque.ts';
import type { SentPublication } from './differences.ts';
import { type Arrival, Entry } from './entry.ts';
import { PendingIndex } from './pending-index.ts';
import { otherSide, type Side } from './side.ts';

/** Two publications that are the same. */
export interface Pair {
  readonly old: Entry;
  readonly new: Entry;
  readonly oldSent: SentPublication;
  readonly newSent: SentPublication;
}

/** Why a publication has no partner, though one server did not lose it in silence; or why nobody can tell. */
export type Excuse = 'merged' | 'dropped';

/** What becomes of the publications. */
export interface MatchSink {
  paired(pair: Pair): void;
  /** The pair that a publication of the new server belongs to came out of order. */
  reordered(entry: Entry): void;
  /** The other server has not sent it. @param excuse what it said of it */
  unmatched(entry: Entry, sent: SentPublication, excuse: Excuse | undefined): void;
  /** It was given up since too much waited. */
  givenUp(entry: Entry): void;
}

export interface MatcherLimits {
  /** For so long a publication waits for the other server to send it too, ms. */
  readonly windowMs: number;
  /** A publication that has waited this long is not about to find a better partner than one that is only similar, ms. */
  readonly patienceMs: number;
  readonly entriesMax: number;
  readonly bytesMax: number;
}

/**
 * Brings the publications of two servers together. Both sides' entries stand in one queue in the order of their arrival.
 * One leaves it when it has reached the front and is settled, or is older than the window; so the new server's entries
 * leave in the order in which it sent them, and that is when their order is looked at.
 */
export class Matcher {
  readonly #sink: MatchSink;
  readonly #limits: MatcherLimits;
  readonly #queue = new Deque<Entry>();
  readonly #pending = { old: new PendingSide(), new: new PendingSide() };
  #bytes = 0;

  constructor(sink: MatchSink, limits: MatcherLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  add(side: Side, arrival: Arrival): void {
    const own = arrival.topic.of(side);
    const entry = new Entry(side, arrival, own.nextOrdinal, own.lost);
    own.lost = 0;
    own.add(entry);
    this.#queue.push(entry);
    this.#bytes += entry.bytes;
    const partner = this.#pending[otherSide(side)].findNow(entry);
    if (partner === undefined) this.#pending[side].add(entry);
    else this.#pair(entry, partner);
    this.#keepLimits();
  }

  /** Decides on everything that has waited for the whole window. */
  expire(nowMs: number): void {
    while (this.#queue.length > 0) {
      const entry = this.#queue.at(0);
      if (entry.isPending && nowMs - entry.arrivedMs < this.#limits.windowMs) return;
      this.#leave(nowMs);
    }
  }

  /** Decides on everything. */
  finish(nowMs: number): void {
    while (this.#queue.length > 0) this.#leave(nowMs);
  }

  #leave(nowMs: number): void {
    const entry = this.#queue.shift()!;
    if (entry.isPending) this.#decide(entry, nowMs);
    entry.topic.of(entry.side).forgetSettled();
    if (entry.side === 'new' && entry.isPaired && entry.topic.isOvertaken(entry.partner)) this.#sink.reordered(entry);
  }

  #decide(entry: Entry, nowMs: number): void {
    const partner = this.#pending[otherSide(entry.side)].findLate(entry, nowMs - this.#limits.patienceMs);
    if (partner !== undefined) return this.#pair(entry, partner);
    const other = entry.topic.of(otherSide(entry.side));
    const excuse = other.lost > 0 ? 'dropped' : undefined;
    if (excuse !== undefined) other.lost--;
    this.#sink.unmatched(entry, this.#settle(entry), excuse);
  }

  #pair(entry: Entry, partner: Entry): void {
    const [sent, partnerSent] = [this.#settle(entry, partner), this.#settle(partner, entry)];
    if (entry.side === 'old') this.#sink.paired({ old: entry, new: partner, oldSent: sent, newSent: partnerSent });
    else this.#sink.paired({ old: partner, new: entry, oldSent: partnerSent, newSent: sent });
    this.#excuseBefore(partner, entry);
    this.#excuseBefore(entry, partner);
  }

  /**
   * What `frame` stands for, and what its server has dropped before it, are the publications of the topic that the other
   * server sent right before its partner.
   */
  #excuseBefore(partner: Entry, frame: Entry): void {
    let merged = frame.merged;
    let dropped = frame.dropped;
    const side = partner.topic.of(partner.side);
    for (let ordinal = partner.ordinal - 1; merged + dropped > 0; ordinal--) {
      const entry = side.at(ordinal);
      if (entry === undefined || entry.isPaired) return;
      if (!entry.isPending) continue;
      this.#sink.unmatched(entry, this.#settle(entry), merged > 0 ? 'merged' : 'dropped');
      if (merged > 0) merged--;
      else dropped--;
    }
  }

  #settle(entry: Entry, partner?: Entry): SentPublication {
    this.#bytes -= entry.bytes;
    const sent = entry.settle(partner);
    this.#pending[entry.side].forget(entry);
    return sent;
  }

  #keepLimits(): void {
    const { entriesMax, bytesMax } = this.#limits;
    while (this.#queue.length > entriesMax || this.#bytes > bytesMax) {
      const entry = this.#queue.at(0);
      if (entry.isPending) {
        this.#settle(entry);
        this.#sink.givenUp(entry);
      }
      this.#leave(entry.arrivedMs);
    }
  }
}

/** What waits of one server. */
class PendingSide {
  readonly #exact = new PendingIndex(({ identity }) => identity.exact);
  readonly #moment = new PendingIndex(({ identity }) => identity.moment);
  readonly #content = new PendingIndex(({ identity }) => identity.content);
  readonly #all = [this.#exact, this.#moment, this.#content];

  add(entry: Entry): void {
    for (const index of this.#all) index.add(entry);
  }

  forget(entry: Entry): void {
    for (const index of this.#all) index.forget(entry);
  }

  /** The same publication; of a merged one, whose content nobody else has, one of the same moment. */
  findNow(entry: Entry): Entry | undefined {
    const exact = this.#exact.find(entry);
    if (exact !== undefined) return exact;
    const sameMoment = this.#moment.find(entry);
    return sameMoment !== undefined && sameMoment.merged + entry.merged > 0 ? sameMoment : undefined;
  }

  /** One that is similar, and came before `beforeMs`: a younger one may be about to find its own. */
  findLate(entry: Entry, beforeMs: number): Entry | undefined {
    const found = [this.#moment, this.#content].map((index) => index.find(entry));
    return found.find((similar) => similar !== undefined && similar.arrivedMs <= beforeMs);
  }
}

import type { DropReason } from '../telemetry/drop-reasons.ts';
import { Deque } from '../util/deque.ts';
import { BOOK_SNAPSHOT, EVERY, isBook } from './delivery-policy.ts';
import type { Gap } from './gap.ts';
import type { HeldFrame } from './held-frame.ts';
import { TopicGaps } from './topic-gaps.ts';

/** Of one connection's pending set; 0: none. */
export interface PendingLimits {
  readonly messages: number;
  readonly bytes: number;
  /** Why they are what they are; `slow_consumer` where it is not said. */
  readonly reason?: DropReason;
}

/** What a topic had before publications of it were lost on the way to this shard. */
export interface Before {
  readonly seq: number;
  readonly ordinal: number;
  /** seq of the first that was lost, where it is known. */
  readonly firstSeq?: number;
}

/** One topic of which a single frame will stand for all that is pending. */
export interface Conflated {
  /** What the client got last. */
  readonly own: Before;
  /** seq of the first publication that waits. */
  readonly firstSeq: number;
  last: HeldFrame;
  /** Of a book: what there is to merge, oldest first; undefined where only the full book will do. */
  updates: HeldFrame[] | undefined;
  bytes: number;
}

/** What waits, in the order in which it is to be sent: by seq, that of a gap being its last. */
export interface PendingCut {
  /** What was given up: to be told before anything else. */
  readonly gaps: readonly Gap[];
  /** Frames and gaps of topics that are never merged. */
  readonly every: readonly (HeldFrame | Gap)[];
  readonly conflated: readonly Conflated[];
  /** When the oldest of it came, ms of `performance.now()`. */
  readonly sinceMs: number;
}

/** A book's updates beyond this many are not kept: the full book will stand for them. */
const BOOK_UPDATES_MAX = 1_000;

/**
 * What waits for a connection that reads too slowly, thinned out by policy: of `every` topics all frames, of `latest`
 * topics the newest, of books the updates to merge. Frames are shared by all connections that wait for them. Beyond its
 * limits books lose their updates first, since the full book will do, then the oldest goes, remembered as a gap. In:
 * records, one at a time. Out: a cut of everything, when the socket drains.
 */
export class PendingSet {
  readonly #every = new Deque<HeldFrame | Gap>();
  #conflated = new Map<number, Conflated>();
  readonly #gaps = new TopicGaps();
  /** Books of which more than one update is held, that whose second came first in front. */
  readonly #merging = new Set<number>();
  /** See `broken`. */
  readonly #broken = new Set<number>();
  #bytes = 0;
  #sinceMs = 0;

  /** Frames that it will make, the gaps aside. */
  get messages(): number {
    return this.#every.length + this.#conflated.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.messages === 0 && this.#gaps.isEmpty;
  }

  /** When the oldest of it came, ms of `performance.now()`. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Publications that wait, by topic: to be delivered, or to be told by a gap. */
  forEach(visit: (topic: number, publications: number) => void): void {
    for (let i = 0; i < this.#every.length; i++) {
      const each = this.#every.at(i);
      visit(each.topic, isFrame(each) ? 1 : each.count);
    }
    for (const [topic, { own, last }] of this.#conflated) visit(topic, last.ordinal - own.ordinal);
    for (const { topic, count } of this.#gaps.all()) visit(topic, count);
  }

  /** @param before where publications of the topic in front of this one were lost: what it had before them */
  note(frame: HeldFrame, nowMs: number, limits: PendingLimits, before?: Before): void {
    if (this.isEmpty) this.#sinceMs = nowMs;
    if (frame.policy === EVERY) this.#push(frame);
    else this.#conflate(frame, before);
    this.#enforce(limits);
  }

  /** Publications of a topic were lost behind what waits already. */
  noteGap(gap: Gap, nowMs: number): void {
    if (this.isEmpty) this.#sinceMs = nowMs;
    this.#endConflated(gap.topic);
    this.#every.push(gap);
  }

  /** What waits of a book is to be told whole: the client has nothing that updates could be applied to. */
  collapse(topic: number): void {
    const entry = this.#conflated.get(topic);
    if (entry !== undefined) this.#collapse(entry);
    else this.#broken.add(topic);
  }

  /**
   * Topics of merged types that end with a gap: the client lacks their latest value, and an update alone would tell nothing.
   */
  get broken(): ReadonlySet<number> {
    return this.#broken;
  }

  /** The topic is left with a gap. */
  setBroken(topic: number): void {
    this.#broken.add(topic);
  }

  /** Its latest value has been told, or there is none. */
  mend(topic: number): void {
    this.#broken.delete(topic);
  }

  /** Gives the oldest up until it fits. */
  shrink(limits: PendingLimits): void {
    this.#enforce(limits);
  }

  /** Gives up what waits of topics that `isGone` names. The gaps wait for the next cut. */
  drop(isGone: (topic: number) => boolean, reason: DropReason): void {
    for (const each of this.#every.drain()) {
      if (!isGone(each.topic)) this.#every.push(each);
      else this.#giveUp(each, reason);
    }
    for (const [topic, conflated] of this.#conflated) {
      if (isGone(topic)) this.#giveUpConflated(topic, conflated, reason);
    }
    for (const topic of this.#broken) if (isGone(topic)) this.#broken.delete(topic);
  }

  /** Takes out what was given up of such topics and has not been told yet. */
  takeGaps(isTaken: (topic: number) => boolean): Gap[] {
    return this.#gaps.take(isTaken);
  }

  /** Takes out everything. */
  cut(): PendingCut {
    const gaps = this.#gaps.take(() => true);
    const conflated = [...this.#conflated.values()].sort((a, b) => a.last.seq - b.last.seq);
    const every = this.#every.drain();
    this.#conflated = new Map();
    this.#merging.clear();
    this.#bytes = 0;
    return { gaps, every, conflated, sinceMs: this.#sinceMs };
  }

  #push(frame: HeldFrame): void {
    // Something that is no book, among the updates of one: nothing is merged across it, so what waits of the book goes.
    this.#endConflated(frame.topic);
    this.#every.push(frame);
    this.#bytes += frame.bytes.length;
  }

  /** Gives up what waits of the topic to be merged, behind what waits of it apart: that is still to come before its gap. */
  #endConflated(topic: number): void {
    const conflated = this.#conflated.get(topic);
    if (conflated !== undefined) this.#every.push(this.#takeConflated(topic, conflated, 'slow_consumer'));
  }

  #conflate(frame: HeldFrame, before: Before | undefined): void {
    const { topic } = frame;
    const entry = this.#conflated.get(topic);
    if (entry === undefined) {
      const isBroken = this.#broken.delete(topic) || before !== undefined;
      const merges = isWholeBook(frame) || (isBook(frame.policy) && !isBroken);
      const own = before ?? { seq: frame.prevSeq, ordinal: frame.ordinal - 1 };
      this.#conflated.set(topic, {
        own,
        firstSeq: frame.ordinal - own.ordinal === 1 ? frame.seq : (own.firstSeq ?? own.seq + 1),
        last: frame,
        updates: merges ? [frame] : undefined,
        bytes: frame.bytes.length,
      });
      this.#bytes += frame.bytes.length;
      return;
    }
    entry.last = frame;
    this.#bytes -= entry.bytes;
    if (isBook(frame.policy)) this.#collectUpdate(entry, frame, before !== undefined);
    else entry.bytes = frame.bytes.length;
    this.#bytes += entry.bytes;
  }

  #collectUpdate(entry: Conflated, frame: HeldFrame, isBroken: boolean): void {
    const { topic, bytes } = frame;
    const isWhole = isWholeBook(frame);
    if (isWhole) {
      entry.updates = [frame];
      this.#merging.delete(topic);
    } else if (isBroken || (entry.updates !== undefined && entry.updates.length >= BOOK_UPDATES_MAX)) {
      entry.updates = undefined;
      this.#merging.delete(topic);
    } else if (entry.updates?.push(frame) === 2) {
      this.#merging.add(topic);
    }
    const isAdded = !isWhole && entry.updates !== undefined;
    entry.bytes = isAdded ? entry.bytes + bytes.length : bytes.length;
  }

  /** Lets the full book stand for the updates of the one that has waited longest. False: there is none. */
  #collapseOldest(): boolean {
    for (const topic of this.#merging) {
      this.#collapse(this.#conflated.get(topic)!);
      return true;
    }
    return false;
  }

  #collapse(entry: Conflated): void {
    this.#merging.delete(entry.last.topic);
    this.#bytes += entry.last.bytes.length - entry.bytes;
    entry.bytes = entry.last.bytes.length;
    entry.updates = undefined;
  }

  #enforce({ messages, bytes, reason = 'slow_consumer' }: PendingLimits): void {
    while (bytes > 0 && this.#bytes > bytes && this.#collapseOldest());
    while ((messages > 0 && this.messages > messages) || (bytes > 0 && this.#bytes > bytes)) {
      if (this.#every.length > 0) this.#dropOldest(reason);
      else if (!this.#dropOldestConflated(reason)) return;
    }
  }

  #dropOldest(reason: DropReason): void {
    const oldest = this.#every.shift()!;
    this.#giveUp(oldest, reason);
  }

  #dropOldestConflated(reason: DropReason): boolean {
    for (const [topic, conflated] of this.#conflated) {
      this.#giveUpConflated(topic, conflated, reason);
      return true;
    }
    return false;
  }

  #giveUp(each: HeldFrame | Gap, reason: DropReason): void {
    if (!isFrame(each)) return this.#gaps.add(each);
    const { topic, slot, seq, bytes } = each;
    this.#bytes -= bytes.length;
    this.#gaps.add({ topic, slot, fromSeq: seq, toSeq: seq, count: 1, reason });
  }

  #giveUpConflated(topic: number, conflated: Conflated, reason: DropReason): void {
    this.#gaps.add(this.#takeConflated(topic, conflated, reason));
  }

  /** Takes it out, as the gap that it leaves. */
  #takeConflated(topic: number, { own, firstSeq, last, bytes }: Conflated, reason: DropReason): Gap {
    this.#conflated.delete(topic);
    this.#merging.delete(topic);
    this.#bytes -= bytes;
    this.#broken.add(topic);
    const count = last.ordinal - own.ordinal;
    return { topic, slot: last.slot, fromSeq: firstSeq, toSeq: last.seq, count, reason };
  }
}

/** Whether nothing that came before it matters. */
function isWholeBook({ policy }: HeldFrame): boolean {
  return policy === BOOK_SNAPSHOT;
}

export function isFrame(each: HeldFrame | Gap): each is HeldFrame {
  return 'bytes' in each;
}

import type { Receiver } from '../ring/receiver.ts';
import { nowUs } from '../util/clock.ts';
import { BOOK_SNAPSHOT, EVERY, LATEST } from './delivery-policy.ts';
import { addGap, type Gap } from './gap.ts';
import type { HeldFrame } from './held-frame.ts';
import { type Outgoing, type OutgoingParts, outgoingGap, outgoingOf } from './outgoing.ts';
import type { Before, PendingLimits, PendingSet } from './pending-set.ts';
import type { Replay } from './replay.ts';
import type { SnapshotQueue } from './snapshot-queue.ts';
import { TopicGaps } from './topic-gaps.ts';
import type { TopicTable } from './topic-table.ts';

export interface BacklogParts extends OutgoingParts {
  history: Receiver;
  table: TopicTable;
  /** A queue of the latest values of these topics. */
  snapshotsOf: (topics: readonly number[]) => SnapshotQueue;
}

/**
 * Everything that one connection still has to get before it is as far as its cohort, in the order in which it is sent: what
 * has been cut from its pending set, a replay, latest values, what is pending. Exists as long as the connection is behind.
 */
export class Backlog {
  readonly pending: PendingSet;
  replay: Replay | undefined;
  snapshots: SnapshotQueue | undefined;
  /** When the client last took something, ms of `performance.now()`. */
  progressMs: number;
  /** It reads too slowly, rather than having asked for something. */
  isSlow = false;
  /** Since the socket is full, the pump waits for it to drain. */
  waitsForDrain = false;
  /** Since when there has been a client to write to: it asked, or its socket drained. µs since the epoch. */
  readyUs = nowUs();
  readonly #parts: BacklogParts;
  #outgoing: Outgoing[] = [];
  #next = 0;
  #cutSinceMs = 0;

  constructor(parts: BacklogParts, pending: PendingSet, nowMs: number) {
    this.#parts = parts;
    this.pending = pending;
    this.progressMs = nowMs;
  }

  get lane(): 'behind' | 'replaying' {
    return this.replay === undefined ? 'behind' : 'replaying';
  }

  /** How long the oldest thing that waits has been waiting, ms. */
  lagMs(nowMs: number): number {
    if (this.replay !== undefined) return nowMs - this.progressMs;
    if (this.#next < this.#outgoing.length) return nowMs - this.#cutSinceMs;
    if (this.snapshots !== undefined) return nowMs - this.progressMs;
    return this.pending.isEmpty ? 0 : nowMs - this.pending.sinceMs;
  }

  /** Messages that wait, a replay aside. */
  get messages(): number {
    return this.#outgoing.length - this.#next + this.pending.messages;
  }

  /** Publications that wait, by topic: to be delivered, or to be told by a gap. */
  forEachPending(visit: (topic: number, publications: number) => void): void {
    for (let i = this.#next; i < this.#outgoing.length; i++) {
      const { topic, merged, gap } = this.#outgoing[i]!;
      visit(topic, gap?.count ?? 1 + merged);
    }
    this.replay?.forEach(visit);
    this.pending.forEach(visit);
  }

  /** A publication that the connection wants has been read. A replay comes to it by itself. */
  note(frame: HeldFrame, nowMs: number, limits: PendingLimits, before?: Before): void {
    if (this.replay === undefined) this.pending.note(frame, nowMs, limits, before);
  }

  /** Topics of which anything waits. */
  waitingTopics(): Set<number> {
    const topics = new Set<number>();
    this.forEachPending((topic) => topics.add(topic));
    return topics;
  }

  /** Latest values to be told first. Those of a queue that has begun come before them. */
  addSnapshots(queue: SnapshotQueue): void {
    if (this.snapshots === undefined) this.snapshots = queue;
    else this.snapshots.append(queue);
  }

  /** The next message; undefined: the connection is as far as its cohort. `lost`: nobody can say what it has missed. */
  next(): Outgoing | 'lost' | undefined {
    for (;;) {
      if (this.#next < this.#outgoing.length) return this.#outgoing[this.#next++];
      const replayed = this.#replayed();
      if (replayed !== undefined) return replayed;
      if (this.replay !== undefined || this.#next < this.#outgoing.length) continue;
      const value = this.snapshots?.next(this.pending);
      if (value !== undefined) return value;
      this.snapshots = undefined;
      if (!this.pending.isEmpty) this.#cut();
      else if (!this.#restate()) return undefined;
    }
  }

  /** Gives up what waits of topics that the connection does not want any more. @returns what it is to be told */
  narrow(isWanted: (topic: number) => boolean): Outgoing[] {
    const { nameOf } = this.#parts;
    const isGone = (topic: number) => !isWanted(topic);
    const waiting = this.#outgoing.slice(this.#next);
    this.#outgoing = waiting.filter(({ topic }) => isWanted(topic));
    this.#next = 0;
    this.snapshots?.retain(isWanted);
    this.pending.drop(isGone, 'unsubscribed');
    const cut = waiting.filter(({ topic }) => isGone(topic));
    // Gaps of the others have their turn: what was cut before them is still to come.
    return [...unsubscribed(cut, nameOf), ...this.pending.takeGaps(isGone).map((gap) => outgoingGap(gap, nameOf))];
  }

  /** A replay that is about to be overtaken gives up what it will not reach. */
  giveUpLate(): void {
    if (this.replay?.isLate !== true) return;
    if (this.replay.giveUp() === 'gaps') this.#takeGaps(this.replay);
  }

  #replayed(): Outgoing | 'lost' | undefined {
    const { replay } = this;
    if (replay === undefined) return undefined;
    switch (replay.step()) {
      case 'record':
        return this.#recordOut();
      case 'gaps':
        this.#takeGaps(replay);
        return undefined;
      case 'lost':
        return 'lost';
      case 'end':
        this.replay = undefined;
        return undefined;
    }
  }

  #recordOut(): Outgoing {
    const { bytes, frameStart, frameEnd, topic, slot, policy, seq, dueUs } = this.#parts.history;
    const frame = Buffer.allocUnsafe(frameEnd - frameStart);
    bytes.copy(frame, 0, frameStart, frameEnd);
    if (policy === LATEST || policy === BOOK_SNAPSHOT) this.pending.mend(topic);
    return { kind: 'data', bytes: frame, topic, slot, fromSeq: seq, toSeq: seq, dueUs, merged: 0, isReplayed: true };
  }

  /** Joins them to those that its client has not been told yet: else they grew as long as it reads next to nothing. */
  #takeGaps({ gaps }: Replay): void {
    const { table, nameOf } = this.#parts;
    const untold = new TopicGaps();
    // As long as there is a replay nothing else has been cut.
    for (const { gap } of this.#outgoing.slice(this.#next)) untold.add(gap!);
    for (const gap of gaps) untold.add(gap);
    this.#outgoing = untold.take(() => true).map((gap) => outgoingGap(gap, nameOf));
    this.#next = 0;
    for (const { topic } of gaps) if (table.policy(topic) !== EVERY) this.pending.setBroken(topic);
  }

  /** The client is to have the latest values of topics that end with a gap. False: there are none. */
  #restate(): boolean {
    const { broken } = this.pending;
    if (broken.size === 0) return false;
    this.addSnapshots(this.#parts.snapshotsOf([...broken]));
    return true;
  }

  #cut(): void {
    const cut = this.pending.cut();
    this.#outgoing = outgoingOf(cut, this.#parts, (topic) => this.pending.setBroken(topic));
    this.#next = 0;
    this.#cutSinceMs = cut.sinceMs;
  }
}

/** What messages come to that will not be sent: one gap for those of a topic that follow each other. A gap is told all the same. */
function unsubscribed(messages: readonly Outgoing[], nameOf: OutgoingParts['nameOf']): Outgoing[] {
  const told: Outgoing[] = [];
  const joined = new Map<number, Gap[]>();
  const tell = (topic: number) => {
    for (const gap of joined.get(topic) ?? []) told.push(outgoingGap(gap, nameOf));
    joined.delete(topic);
  };
  for (const message of messages) {
    const { kind, topic, slot, fromSeq, toSeq, merged } = message;
    if (kind === 'data') {
      const gaps = joined.get(topic) ?? [];
      addGap(gaps, { topic, slot, fromSeq, toSeq, count: 1 + merged, reason: 'unsubscribed' });
      joined.set(topic, gaps);
    } else {
      tell(topic);
      told.push(message);
    }
  }
  for (const topic of joined.keys()) tell(topic);
  return told;
}

import { VACANT } from '../ring/sequence-index.ts';
import type { Gap } from './gap.ts';
import { type HistoryParts, oldestReadable } from './oldest-readable.ts';

/** What a replay comes upon: a record, in the fields of the history receiver, or publications that are gone. */
export type ReplayStep = 'record' | 'gaps' | 'lost' | 'end';

/** After it was overtaken, a replay leaves out this part of what there is, so as not to be overtaken at once again. */
const LEFT_OUT_PART = 4;

/** A replay that is behind by this part of the index is late. Nearly always records are overwritten before that. */
const LATE_PART = 3 / 4;

/**
 * Reads one connection's part of the ring again, from a seq up to where the shard itself stands. Up to the publication at
 * which the connection asked it looks for the topics of its new filter, behind that for all that its filters match.
 */
export class Replay {
  /** What is gone, after a step `gaps`. */
  gaps: Gap[] = [];
  readonly #parts: HistoryParts;
  readonly #askedAtSeq: number;
  readonly #asked: ReadonlySet<number>;
  readonly #wants: (topic: number) => boolean;
  #seq: number;

  /**
   * @param afterSeq of the newest publication that the client has
   * @param asked topics to replay up to now
   * @param wants whether the connection wants a topic from now on
   */
  constructor(parts: HistoryParts, afterSeq: number, asked: ReadonlySet<number>, wants: (topic: number) => boolean) {
    this.#parts = parts;
    this.#seq = afterSeq;
    this.#askedAtSeq = parts.table.seq;
    this.#asked = asked;
    this.#wants = wants;
  }

  /** Publications in front of it that it will come upon, by topic. */
  forEach(visit: (topic: number, publications: number) => void): void {
    const { index, table } = this.#parts;
    for (let seq = this.#seq + 1; seq <= table.seq; seq++) {
      const topic = index.topic(seq);
      if (topic >= 0 && this.#isWanted(seq, topic)) visit(topic, 1);
    }
  }

  /** Goes on to the next publication that is wanted. `lost`: it is so far behind that nothing can be said any more. */
  step(): ReplayStep {
    const { index, table, history } = this.#parts;
    while (this.#seq < table.seq) {
      const seq = this.#seq + 1;
      const topic = index.topic(seq);
      if (topic < 0 && topic !== VACANT) return 'lost';
      if (this.#isWanted(seq, topic)) {
        if (!history.readAt(index.position(seq)) || history.seq !== seq) return this.#leaveOut();
        this.#seq = seq;
        return 'record';
      }
      this.#seq = seq;
    }
    return 'end';
  }

  /** Whether what comes next is about to be overwritten, and should be given up while it can be counted. */
  get isLate(): boolean {
    const { index, table } = this.#parts;
    return table.seq - this.#seq > index.entries * LATE_PART;
  }

  /** Gives up what has been overwritten, or is about to be. */
  giveUp(): ReplayStep {
    return this.#seq < this.#parts.table.seq ? this.#leaveOut() : 'end';
  }

  #leaveOut(): ReplayStep {
    const { index, table } = this.#parts;
    const until = this.#firstToKeep();
    const gaps = new Map<number, Gap>();
    for (let seq = this.#seq + 1; seq < until; seq++) {
      const topic = index.topic(seq);
      if (topic < 0 && topic !== VACANT) return 'lost';
      if (!this.#isWanted(seq, topic)) continue;
      const gap = gaps.get(topic);
      const { fromSeq, count } = gap ?? { fromSeq: seq, count: 0 };
      gaps.set(topic, {
        topic,
        slot: table.slot(topic),
        fromSeq,
        toSeq: seq,
        count: count + 1,
        reason: 'replay_overrun',
      });
    }
    this.#seq = until - 1;
    this.gaps = [...gaps.values()].sort((a, b) => a.toSeq - b.toSeq);
    return 'gaps';
  }

  #firstToKeep(): number {
    const { table } = this.#parts;
    const kept = oldestReadable(this.#parts, this.#seq);
    return Math.min(table.seq + 1, kept + Math.ceil((table.seq + 1 - kept) / LEFT_OUT_PART));
  }

  #isWanted(seq: number, topic: number): boolean {
    if (topic === VACANT) return false;
    return seq <= this.#askedAtSeq ? this.#asked.has(topic) : this.#wants(topic);
  }
}

import type { LatestValues } from './latest-values.ts';
import type { Outgoing } from './outgoing.ts';
import type { PendingSet } from './pending-set.ts';
import type { TopicTable } from './topic-table.ts';

/** A topic's latest value, as it was when it was asked for. */
interface Wanted {
  readonly topic: number;
  readonly seq: number;
  /** Where it stands in the ring; of a book, its newest update. */
  readonly at: number;
}

/**
 * Latest values that are still to be sent to one connection, oldest first: those of the moment at which they were asked
 * for, so that everything published since then is what the connection gets behind them. What has been overwritten before
 * its turn came is left out: the topic has moved on, and what is pending of it brings it up to date.
 */
export class SnapshotQueue {
  readonly #values: LatestValues;
  #wanted: Wanted[];
  #next = 0;

  constructor(topics: readonly number[], table: TopicTable, values: LatestValues) {
    this.#values = values;
    this.#wanted = topics
      .map((topic) => ({ topic, seq: table.lastSeq(topic), at: table.latestAt(topic) }))
      .filter(({ seq }) => seq > 0)
      .sort((a, b) => a.seq - b.seq);
  }

  /** @param pending of the connection: a book that has moved on has to be told whole there */
  next(pending: Pick<PendingSet, 'collapse' | 'mend'>): Outgoing | undefined {
    while (this.#next < this.#wanted.length) {
      const { topic, seq, at } = this.#wanted[this.#next++]!;
      const bytes = this.#values.snapshotAt(topic, seq, at);
      pending.mend(topic);
      if (bytes !== undefined) {
        return { kind: 'snapshot', bytes, topic, slot: 0, fromSeq: seq, toSeq: seq, dueUs: 0, merged: 0 };
      }
      if (this.#values.bookLevels(topic) !== undefined) pending.collapse(topic);
    }
    return undefined;
  }

  /** Takes up what another queue still has to send, behind its own. */
  append(later: SnapshotQueue): void {
    this.#wanted.push(...later.#wanted.slice(later.#next));
  }

  /** Leaves out the topics that are not wanted any more. */
  retain(isWanted: (topic: number) => boolean): void {
    this.#wanted = this.#wanted.slice(this.#next).filter(({ topic }) => isWanted(topic));
    this.#next = 0;
  }
}

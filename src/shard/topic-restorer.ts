import { isBook } from '../delivery/delivery-policy.ts';
import type { TopicState, TopicTable } from '../delivery/topic-table.ts';
import { BOOK, FRAME, NO_POSITION } from '../ring/layout.ts';
import type { Receiver } from '../ring/receiver.ts';
import type { SequenceIndexReader } from '../ring/sequence-index.ts';
import type { TopicDirectoryReader } from '../ring/topic-directory.ts';

export interface TopicRestorerParts {
  receiver: Receiver;
  history: Receiver;
  directory: TopicDirectoryReader;
  index: SequenceIndexReader;
  table: TopicTable;
}

/** A topic that has published while this shard was not reading. */
export interface Moved {
  readonly topic: number;
  readonly before: { readonly seq: number; readonly ordinal: number };
  readonly after: TopicState & { readonly prevSeq: number };
}

/** The primary may write a latest value anew while it is looked up here. */
const TRIES = 3;
/** A shard that is run over while it looks where everything is has to look again; who is run over so often is lost anyway. */
const RESTORE_TRIES = 10;

/**
 * Brings a shard up to the end of the ring without reading what lies between: at its start, and after it was lapped. What
 * every topic's latest publication is stands in the ring and its directory; nobody is asked.
 */
export class TopicRestorer {
  readonly #parts: TopicRestorerParts;

  constructor(parts: TopicRestorerParts) {
    this.#parts = parts;
  }

  /**
   * Moves the receiver to the newest publication, which it will read next, and takes over the state of all topics as it was
   * before that. @returns the topics that have moved, oldest latest publication first
   */
  restore(): Moved[] {
    const { index, receiver, history, table } = this.#parts;
    for (let tries = 1; ; tries++) {
      const newest = index.newest();
      if (newest <= table.seq) return [];
      const position = index.position(newest);
      const moved = this.#movedBefore(newest);
      // Overtaken meanwhile: what has been found out of one topic does not fit what has been of another.
      if (!history.holds(position) && tries < RESTORE_TRIES) continue;
      receiver.moveTo(position);
      table.seq = newest - 1;
      for (const { topic, after } of moved) table.restore(topic, after);
      return moved.sort((a, b) => a.after.seq - b.after.seq);
    }
  }

  #movedBefore(newest: number): Moved[] {
    const { directory, table } = this.#parts;
    const moved: Moved[] = [];
    const count = directory.count();
    for (let topic = 0; topic < count; topic++) {
      const after = this.#stateOf(topic, newest);
      const before = { seq: table.lastSeq(topic), ordinal: table.ordinal(topic) };
      if (after !== undefined && after.seq > before.seq) moved.push({ topic, before, after });
    }
    return moved;
  }

  /** The topic as it was before the publication `beforeSeq`; undefined where it had not published, or nothing is known. */
  #stateOf(topic: number, beforeSeq: number): Moved['after'] | undefined {
    const { history, directory } = this.#parts;
    for (let tries = 0; tries < TRIES; tries++) {
      const position = directory.latest(topic);
      if (position < 0) return this.#givenUp(topic, beforeSeq);
      if (history.peekAt(position) && history.topic === topic) return this.#before(topic, beforeSeq);
    }
    return undefined;
  }

  /** Of a topic whose latest value is not kept, only how far it has come is known. */
  #givenUp(topic: number, beforeSeq: number): Moved['after'] | undefined {
    const { history, index, directory } = this.#parts;
    const newest = directory.givenUp(topic);
    if (newest === undefined) return undefined;
    if (newest.seq < beforeSeq) return { ...newest, prevSeq: 0, latestAt: NO_POSITION, bookAt: NO_POSITION };
    return history.peekAt(index.position(newest.seq)) ? this.#before(topic, beforeSeq) : undefined;
  }

  /** Walks back from the record in the history receiver's fields. */
  #before(topic: number, beforeSeq: number): Moved['after'] | undefined {
    const { history } = this.#parts;
    while (history.seq >= beforeSeq) {
      const { kind, seq, prevSeq, ordinal, previous, policy, slot } = history;
      if (prevSeq === 0) return undefined;
      // In front of a key frame stands the publication that it was written after.
      if (kind === BOOK && history.peekAt(previous) && history.kind === FRAME && history.seq === seq) continue;
      if (history.peekAt(previous) && history.seq === prevSeq) continue;
      // Overwritten. Where that is newer than the publication to go on with, so is this one: the shard will be lapped again.
      if (prevSeq >= beforeSeq) return undefined;
      // What the record behind it says of it is enough.
      const known = { seq: prevSeq, prevSeq: 0, ordinal: ordinal - 1, policy, slot, latestAt: NO_POSITION };
      return { ...known, bookAt: this.#bookAt(topic, policy, beforeSeq) };
    }
    const { seq, prevSeq, ordinal, policy, slot, at } = history;
    return { seq, prevSeq, ordinal, policy, slot, latestAt: at, bookAt: this.#bookAt(topic, policy, beforeSeq) };
  }

  #bookAt(topic: number, policy: number, beforeSeq: number): number {
    const { history, directory, table } = this.#parts;
    const position = directory.book(topic);
    if (position < 0 || !isBook(policy)) return position;
    if (history.peekAt(position) && history.seq < beforeSeq) return position;
    // A newer one that the receiver has not come to yet; the one before may still stand.
    const known = table.bookAt(topic);
    return history.holds(known) ? known : NO_POSITION;
  }
}

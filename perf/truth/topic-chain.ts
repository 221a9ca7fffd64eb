import type { TopicName } from '../../src/ring/topic-directory.ts';
import { type CoverageStep, TopicCoverage } from './coverage.ts';
import { type DataFrame, type Gap, topicKey } from './wire-message.ts';

/** `overlaps`: a part of what it stands for has come before, on an earlier connection. */
export type Taking = 'new' | 'overlaps' | 'repeated';

/** What one connection has been told of a topic, or a client over all its connections. */
export interface TopicCounts {
  delivered: number;
  merged: number;
  snapshots: number;
  dropped: Record<string, number>;
}

export function noCounts(): TopicCounts {
  return { delivered: 0, merged: 0, snapshots: 0, dropped: {} };
}

/**
 * The chain of one topic as one client sees it, over all its connections. It is held to two rules at a time: each frame
 * follows the one before on its connection, and what is new follows the last that the client got at all. They differ only
 * behind a resumption that began before the client's last frame.
 */
export class TopicChain {
  readonly name: TopicName;
  readonly key: string;
  readonly coverage: TopicCoverage;
  /** Of the present connection. */
  counts = noCounts();
  /** Position among the client's topics. */
  readonly index: number;
  readonly #isOneOfSeveral: boolean;
  #since = 0;
  #isFresh = true;
  #last = 0;
  #connectionSince = 0;
  #isConnectionFresh = true;
  #connectionLast = 0;
  /** Up to here everything that was owed is accounted for. */
  #got = 0;

  /** @param isOneOfSeveral see `ChainCheckerOptions` */
  constructor(name: TopicName, index: number, isOneOfSeveral = false) {
    this.name = name;
    this.#isOneOfSeveral = isOneOfSeveral;
    this.key = topicKey(name);
    this.index = index;
    this.coverage = new TopicCoverage(name);
  }

  /** The client's last seq of the topic; 0 where none counts. */
  get last(): number {
    return this.#isFresh ? 0 : this.#last;
  }

  apply(step: CoverageStep): void {
    if (step.kind === 'connected') this.counts = noCounts();
    const change = this.coverage.apply(step);
    if (change === 'began' || change === 'continued') this.#begin(step, change === 'continued');
  }

  #begin({ since }: CoverageStep, continued: boolean): void {
    this.#isConnectionFresh = true;
    this.#connectionSince = since;
    if (continued && !this.#isFresh) return;
    // What the client has already is not new, wherever this connection begins.
    this.#isFresh = this.#got <= since;
    this.#since = continued ? Math.min(this.#since, since) : since;
    this.#last = this.#got;
  }

  /**
   * A frame that is no snapshot.
   * @param repeatsUpTo highest seq that may come once more on this connection
   * @returns what it is to the client; problems go to `report`
   */
  frame({ seq, prevSeq, merged = 0 }: DataFrame, repeatsUpTo: number, report: (problem: string) => void): Taking {
    if (!this.coverage.covered) report('nobody asked for this topic');
    else if (this.#isConnectionFresh) {
      if (prevSeq > this.#connectionSince) report(`the first frame leaves out what is since ${this.#connectionSince}`);
      if (seq <= this.#connectionSince) report(`the first frame is not newer than ${this.#connectionSince}`);
    } else if (prevSeq !== this.#connectionLast) report(`prevSeq is not the last seq, ${this.#connectionLast}`);
    if (seq <= prevSeq) report('seq does not rise within the topic');
    const taking = this.#takingOf(prevSeq, seq, merged > 0, repeatsUpTo, report);
    this.#moved(seq);
    return taking;
  }

  /** What of a range is new to the client. */
  #takingOf(
    prevSeq: number,
    seq: number,
    spans: boolean,
    repeatsUpTo: number,
    report: (problem: string) => void,
  ): Taking {
    if (this.#isFresh) {
      // Beyond the connection's own limit it has been reported already.
      if (prevSeq > this.#since && prevSeq <= this.#connectionSince) {
        report(`the first frame leaves out what is since ${this.#since}`);
      }
      return 'new';
    }
    if (seq <= this.#last) {
      if (seq > repeatsUpTo) report(`this client has had ${this.#last} of the topic`);
      return 'repeated';
    }
    if (prevSeq === this.#last) return 'new';
    if (spans && prevSeq < this.#last && this.#last <= repeatsUpTo) return 'overlaps';
    if (prevSeq === 0 && this.#isOneOfSeveral && this.#isConnectionFresh) return 'new';
    // The connection's own rule has said so already, where the client has no earlier one.
    if (this.#isConnectionFresh) report(`prevSeq is not the client's last seq, ${this.#last}`);
    return 'new';
  }

  gap({ fromSeq, toSeq, count, reason }: Gap, repeatsUpTo: number, report: (problem: string) => void): Taking {
    if (toSeq < fromSeq || count < 1) report('a gap of nothing');
    else if ((fromSeq === toSeq) !== (count === 1) || count > toSeq - fromSeq + 1) report('the count cannot be');
    if (this.#isLate(reason, fromSeq, toSeq)) {
      this.#got = toSeq;
      return 'new';
    }
    if (!this.coverage.covered) report('nobody asked for this topic');
    const floor = this.#isConnectionFresh ? this.#connectionSince : this.#connectionLast;
    if (fromSeq <= floor) report(`the gap begins before what came last, ${floor}`);
    const taking = this.#gapTaking(fromSeq, toSeq, repeatsUpTo, report);
    this.#moved(toSeq);
    return taking;
  }

  #gapTaking(fromSeq: number, toSeq: number, repeatsUpTo: number, report: (problem: string) => void): Taking {
    const last = this.#isFresh ? this.#since : this.#last;
    if (fromSeq > last) return 'new';
    if (this.#isFresh || Math.min(toSeq, last) > repeatsUpTo) report(`this client has had ${last} of the topic`);
    return toSeq <= last ? 'repeated' : 'overlaps';
  }

  /** What was pending when the filter was withdrawn may be told behind the reply, even behind the next subscription's. */
  #isLate(reason: string, fromSeq: number, toSeq: number): boolean {
    if (reason !== 'unsubscribed' || fromSeq <= this.#got) return false;
    return !this.coverage.covered || (this.#isFresh && this.#isConnectionFresh && toSeq <= this.#since);
  }

  snapshot({ seq, prevSeq }: DataFrame, report: (problem: string) => void): void {
    if (prevSeq !== 0) report('prevSeq of a snapshot is not 0');
    if (!this.coverage.covered) report('nobody asked for this topic');
    else if (this.#isFresh) {
      if (seq > this.#since) report(`the snapshot is newer than ${this.#since}, since when all is owed`);
    } else if (seq !== this.#last) {
      report(`the snapshot ${seq < this.#last ? 'goes back' : 'skips'} from ${this.#last}`);
    }
    this.#moved(seq);
  }

  #moved(seq: number): void {
    this.#isConnectionFresh = false;
    this.#connectionLast = seq;
    if (this.#isFresh || seq > this.#last) this.#last = seq;
    this.#isFresh = false;
    if (this.#last > this.#got) this.#got = this.#last;
  }
}

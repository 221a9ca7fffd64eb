import type { ConnectionPoolManager } from '../batch/connection-pool-manager.ts';
import type { PooledConnection } from '../connection/pooled-connection.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { BOOK_UPDATE, isBook, LATEST } from '../delivery/delivery-policy.ts';
import { type Gap, gapFrame } from '../delivery/gap.ts';
import { SNAPSHOT_TAIL } from '../delivery/latest-values.ts';
import { BOOK, NO_POSITION } from '../ring/layout.ts';
import type { RecordCursor } from '../ring/receiver.ts';
import type { Cohort } from '../subscription/cohort.ts';
import type { SubscriptionManager } from '../subscription/subscription-manager.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import type { Moved, TopicRestorer, TopicRestorerParts } from './topic-restorer.ts';

export interface CatchUpParts extends Pick<TopicRestorerParts, 'history' | 'directory' | 'index' | 'table'> {
  restorer: TopicRestorer;
  subscriptions: SubscriptionManager;
  pool: ConnectionPoolManager;
  delivery: Delivery;
  log: Logger;
  statistics: StatisticsBlock;
}

interface Publications {
  count: number;
  /** seq of the first. */
  readonly fromSeq: number;
}

const NOBODY: ReadonlySet<PooledConnection> = new Set();

/**
 * What a shard does when the transmitter has run over it: it goes on from the newest publication, tells its clients, topic
 * by topic, how many they have lost, and lets the latest values follow. Those who keep up are told at once, those who are
 * behind in their turn; of topics whose newest stands for all they have lost nothing.
 */
export class CatchUp {
  readonly #parts: CatchUpParts;
  /** Books that could not be told whole behind their gap: they are to be with their next update. */
  readonly #open = new Set<number>();
  /** Connections that were behind before they could be told anything. A write on the way may make others fall behind. */
  #wereBehind = NOBODY;

  constructor(parts: CatchUpParts) {
    this.#parts = parts;
  }

  /** Call with nothing in the ring left to read, or lapped; the receiver stands at the newest publication afterwards. */
  start(): void {
    const { restorer, table, delivery, statistics, log } = this.#parts;
    const afterSeq = table.seq;
    const moved = restorer.restore();
    const known = this.#publications(afterSeq, table.seq);
    const told = moved.map((each) => ({ each, lost: lostOf(each, afterSeq, known.get(each.topic)) }));
    this.#wereBehind = new Set(delivery.behind);
    for (const { each, lost } of told) this.#tellGap(each, lost);
    for (const { each, lost } of told) this.#tellValue(each, lost);
    this.#wereBehind = NOBODY;
    const lost = told.reduce((sum, each) => sum + each.lost.count, 0);
    statistics.add('recordsLost', lost);
    log.warn(
      { lapped: statistics.get('lapped'), lost, topics: moved.length },
      'WebSocket shard lapped by the ring, gaps told and latest values read again',
    );
  }

  /** Whether the record's topic is a book that is still to be told whole. */
  isOpen(topic: number): boolean {
    return this.#open.size > 0 && this.#open.has(topic);
  }

  /** Delivers the next publication of such a topic: in place of an update, the full book that it has led to. */
  makeUp(cohorts: readonly Cohort[], record: RecordCursor): void {
    const { pool, delivery } = this.#parts;
    const { topic, slot, seq, policy } = record;
    const book = policy === BOOK_UPDATE ? this.#book(topic) : undefined;
    if (isBook(policy)) this.#open.delete(topic);
    const gap: Gap = { topic, slot, fromSeq: seq, toSeq: seq, count: 1, reason: 'shard_lapped' };
    for (const cohort of cohorts) {
      // Those behind first: the write to the others may bring more of them, who have got it then.
      if (cohort.behind.length > 0) delivery.note(cohort.behind, record);
      if (book === undefined) {
        pool.appendLive(cohort, record);
        continue;
      }
      this.#appendGap(cohort, gap, book);
    }
  }

  /** Publications of each topic in (afterSeq, toSeq], as far back as the index reaches. */
  #publications(afterSeq: number, toSeq: number): Map<number, Publications> {
    const { index } = this.#parts;
    const known = new Map<number, Publications>();
    for (let seq = Math.max(afterSeq, toSeq - index.entries) + 1; seq <= toSeq; seq++) {
      const topic = index.topic(seq);
      const publications = known.get(topic);
      if (publications === undefined) known.set(topic, { count: 1, fromSeq: seq });
      else publications.count++;
    }
    return known;
  }

  /** Tells all that was lost but for the newest publication where that can follow. */
  #tellGap({ after }: Moved, lost: Gap): void {
    const gap = isDeliverable(after) ? { ...lost, toSeq: after.prevSeq, count: lost.count - 1 } : lost;
    if (gap.count === 0) return;
    for (const cohort of this.#parts.subscriptions.match(lost.topic)) {
      // Those behind first: the write to the others may bring more of them, who have been told then.
      const { behind, since } = this.#split(cohort);
      if (after.policy !== LATEST) this.#parts.delivery.noteGap(behind, gap);
      this.#parts.delivery.noteGap(since, gap);
      this.#appendGap(cohort, gap);
    }
  }

  #tellValue(moved: Moved, lost: Gap): void {
    const { topic, after } = moved;
    const cohorts = this.#parts.subscriptions.match(topic);
    if (cohorts.length === 0) return;
    if (isBook(after.policy)) this.#tellBook(topic, cohorts);
    else if (isDeliverable(after) && this.#read(topic, after)) this.#tellRecord(moved, lost, cohorts);
    else for (const cohort of cohorts) this.#tellNone(cohort, after, lost);
  }

  /** The record in the history receiver's fields is the newest publication. */
  #tellRecord({ before, after }: Moved, { fromSeq }: Gap, cohorts: readonly Cohort[]): void {
    const { history, pool, delivery } = this.#parts;
    const merges = after.policy === LATEST;
    for (const cohort of cohorts) {
      // Those behind first: the write to the others may bring more of them, who have got it then.
      const { behind, since } = this.#split(cohort);
      if (behind.length > 0) delivery.note(behind, history, merges ? { ...before, firstSeq: fromSeq } : undefined);
      if (since.length > 0) delivery.note(since, history);
      pool.appendLive(cohort, history);
    }
  }

  /** Those behind get the full book in their turn, since it is what has to follow a gap. */
  #tellBook(topic: number, cohorts: readonly Cohort[]): void {
    const book = this.#book(topic);
    if (book === undefined) this.#open.add(topic);
    else this.#open.delete(topic);
    for (const cohort of cohorts) {
      this.#parts.delivery.owesValue(this.#split(cohort).since, topic);
      if (book !== undefined) this.#appendBook(cohort, book);
    }
  }

  /** There is nothing that could stand for what was lost. */
  #tellNone(cohort: Cohort, after: Moved['after'], lost: Gap): void {
    const { delivery } = this.#parts;
    const { behind, since } = this.#split(cohort);
    if (after.policy === LATEST) delivery.noteGap(behind, lost);
    if (!isDeliverable(after)) return;
    const last: Gap = { ...lost, fromSeq: after.seq, count: 1 };
    if (after.policy !== LATEST) delivery.noteGap(behind, last);
    delivery.noteGap(since, last);
    this.#appendGap(cohort, last);
  }

  /** Those behind: who was so before, and who has been told the gaps at once and fell behind since. */
  #split({ behind }: Cohort): { behind: PooledConnection[]; since: PooledConnection[] } {
    const wereBehind = this.#wereBehind;
    return {
      behind: behind.filter((connection) => wereBehind.has(connection)),
      since: behind.filter((connection) => !wereBehind.has(connection)),
    };
  }

  #read(topic: number, { latestAt, seq }: Moved['after']): boolean {
    const { history, directory } = this.#parts;
    if (history.readAt(latestAt) && history.seq === seq) return true;
    // Overwritten meanwhile: it may have been moved ahead, unless what was kept of the topic is its book.
    return history.readAt(directory.latest(topic)) && history.seq === seq && history.kind !== BOOK;
  }

  #book(topic: number): Buffer | undefined {
    return this.#parts.delivery.values.fullBook(topic, SNAPSHOT_TAIL);
  }

  /** @param book of the same topic: goes out with the gap, so that nobody falls behind between the two */
  #appendGap(cohort: Cohort, gap: Gap, book?: Buffer): void {
    const { pool, delivery, statistics } = this.#parts;
    const { members } = cohort;
    statistics.add('gapsSent', members.length);
    for (const member of members) delivery.countGap(member, gap);
    if (book !== undefined) this.#countBook(members);
    const told = gapFrame(gap, delivery.catalog.name(gap.topic));
    pool.appendMessage(cohort, book === undefined ? told : Buffer.concat([told, book]));
  }

  #appendBook(cohort: Cohort, book: Buffer): void {
    this.#countBook(cohort.members);
    this.#parts.pool.appendMessage(cohort, book);
  }

  #countBook(members: readonly PooledConnection[]): void {
    this.#parts.statistics.add('snapshotsSent', members.length);
    for (const member of members) member.account.snapshots++;
  }
}

/**
 * Everything of a topic that this shard has not read.
 * @param known what the index tells of it; where that is not all, the first of them came somewhere behind `afterSeq`
 */
function lostOf({ topic, before, after }: Moved, afterSeq: number, known: Publications | undefined): Gap {
  const count = after.ordinal - before.ordinal;
  const fromSeq = known?.count === count ? known.fromSeq : afterSeq + 1;
  return { topic, slot: after.slot, fromSeq, toSeq: after.seq, count, reason: 'shard_lapped' };
}

/** Whether the topic's latest publication can be delivered as it is: one of a book, behind a gap, would tell nothing. */
function isDeliverable({ latestAt, policy }: Moved['after']): boolean {
  return latestAt !== NO_POSITION && !isBook(policy);
}

import type { PooledConnection } from '../connection/pooled-connection.ts';
import type { Receiver, RecordCursor } from '../ring/receiver.ts';
import type { SequenceIndexReader } from '../ring/sequence-index.ts';
import type { TopicDirectoryReader } from '../ring/topic-directory.ts';
import type { FilterTerms } from '../subscription/filter.ts';
import type { SubscriptionManager } from '../subscription/subscription-manager.ts';
import { dropReasonIndex } from '../telemetry/drop-reasons.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { Backlog } from './backlog.ts';
import { type Beginning, Beginnings, type PlannedBeginning } from './beginnings.ts';
import { DeferredCommands } from './deferred-commands.ts';
import { EVERY } from './delivery-policy.ts';
import type { Epochs } from './epochs.ts';
import type { Gap } from './gap.ts';
import { type HeldFrame, holdFrame } from './held-frame.ts';
import { LatestValues } from './latest-values.ts';
import type { Outgoing, OutgoingParts } from './outgoing.ts';
import { type Before, type PendingLimits, PendingSet } from './pending-set.ts';
import { Pump } from './pump.ts';
import { SnapshotQueue } from './snapshot-queue.ts';
import { TopicCatalog } from './topic-catalog.ts';
import type { TopicTable } from './topic-table.ts';

export interface DeliveryParts {
  epochs: Epochs;
  statistics: StatisticsBlock;
  directory: TopicDirectoryReader;
  index: SequenceIndexReader;
  /** Reads records that lie behind; not the receiver that the shard follows the ring with. */
  history: Receiver;
  table: TopicTable;
  subscriptions: SubscriptionManager;
  /** Of each connection's pending set. */
  limits: PendingLimits;
  highWaterBytes: number;
  /** `slow.maxLagMs`; 0: none. */
  lagMsMax: number;
  /** Writes out what has been gathered for the connection. */
  settle: (connection: PooledConnection) => void;
  /** Reads on to the end of the ring. */
  drain: () => void;
  /** How long a resume waits for the publication that it begins behind, ms. */
  resumeWaitMs: number;
  /** Closes a connection that is too slow. */
  giveUp: (connection: PooledConnection) => void;
}

/** Under memory pressure a pending set has this part of its limits; of these where there are none. */
const HARDER = 8;
const MESSAGES_UNDER_PRESSURE = 4_000;
const BYTES_UNDER_PRESSURE = 4 * 1024 * 1024;

/**
 * Everything that is not the fast path: connections that are behind, snapshots, replays, gaps, accounts. Runs on the
 * shard's thread. In: records that connections behind want, subscriptions, drained sockets. Out: messages to one client at
 * a time, such that for each of its topics what was published is what it got, what was merged, and what it was told of.
 */
export class Delivery {
  readonly values: LatestValues;
  readonly catalog: TopicCatalog;
  readonly #parts: DeliveryParts;
  readonly #pump: Pump;
  readonly #beginnings: Beginnings;
  readonly #deferred: DeferredCommands;
  readonly #behind = new Set<PooledConnection>();
  readonly #outgoingParts: OutgoingParts;
  #limits: PendingLimits;
  #held: HeldFrame | undefined;
  #lateCheckedAtSeq = 0;

  constructor(parts: DeliveryParts) {
    const { directory, history, table, statistics, highWaterBytes, limits } = parts;
    this.#parts = parts;
    this.#limits = limits;
    this.catalog = new TopicCatalog(directory);
    this.values = new LatestValues({ history, directory, table });
    this.#outgoingParts = { values: this.values, nameOf: (topic) => this.catalog.name(topic) };
    this.#beginnings = new Beginnings({ ...parts, ...this.#outgoingParts, catalog: this.catalog });
    this.#pump = new Pump({
      statistics,
      highWaterBytes,
      caughtUp: (connection) => this.#caughtUp(connection),
      lost: (connection) => parts.giveUp(connection),
      sent: (connection, message) => this.#sent(connection, message),
    });
    this.#deferred = new DeferredCommands({ ...parts, pump: this.#pump });
  }

  /** Connections that are behind now, replaying ones included. */
  get behind(): ReadonlySet<PooledConnection> {
    return this.#behind;
  }

  /** The connection's socket holds too much: from here on what it is to get waits for it. */
  fallBehind(connection: PooledConnection): void {
    if (connection.backlog !== undefined || connection.state !== 'open') return;
    this.#parts.statistics.add('fellBehind');
    this.#leaveFastPath(connection).isSlow = true;
    this.#pump.wake(connection);
  }

  /** A record that connections behind want. @param before where publications in front of it were lost, see PendingSet */
  note(connections: readonly PooledConnection[], record: RecordCursor, before?: Before): void {
    const nowMs = performance.now();
    for (const connection of connections) {
      const backlog = connection.backlog!;
      if (backlog.replay !== undefined) continue;
      if (this.#held?.seq !== record.seq) this.#held = holdFrame(record);
      backlog.note(this.#held, nowMs, this.#limits, before);
    }
  }

  /** Publications of a topic were lost on the way here; those behind have to be told in their turn. */
  noteGap(connections: readonly PooledConnection[], gap: Gap): void {
    const nowMs = performance.now();
    for (const connection of connections) {
      const { replay, pending } = connection.backlog!;
      if (replay !== undefined) continue;
      pending.noteGap(gap, nowMs);
      if (this.#parts.table.policy(gap.topic) !== EVERY) pending.setBroken(gap.topic);
    }
  }

  /** Connections behind have been told a gap of the topic: its value, or something that holds it, is to follow. */
  owesValue(connections: readonly PooledConnection[], topic: number): void {
    for (const connection of connections) connection.backlog!.pending.setBroken(topic);
  }

  /** The connection has been told of a gap. */
  countGap(connection: PooledConnection, { topic, slot, count, reason }: Gap): void {
    const index = dropReasonIndex(reason);
    this.#parts.statistics.addDropped(slot, index, count);
    connection.account.addDropped(topic, index, count);
  }

  /** A connection without a filter begins to get everything. */
  beginFirehose(connection: PooledConnection): void {
    const { table } = this.#parts;
    connection.account.begin(FIREHOSE, EVERYTHING, table, this.catalog, table.seq);
  }

  /**
   * Whether a command that changes its filters has to wait: for a replay to end, for a slow client to catch up where it is
   * to be told what it missed, for the publication that it had come to elsewhere, or for time. Then `command` is called again later, in the order of all.
   */
  isDeferred(connection: PooledConnection, beginning: Beginning | undefined, command: () => void): boolean {
    return this.#deferred.defers(connection, beginning, command);
  }

  /** Thinks over how a subscription is to begin. Call before the filter is added, `begin` behind its reply. */
  plan(connection: PooledConnection, terms: FilterTerms, beginning: Beginning): PlannedBeginning {
    return this.#pump.spend(() => this.#beginnings.plan(connection, terms, beginning));
  }

  /** The filter has been added and replied to: sends what comes first. */
  begin(connection: PooledConnection, filterId: string, terms: FilterTerms, planned: PlannedBeginning): void {
    // Its reply may have closed it, where it reads nothing.
    if (connection.state !== 'open') return;
    const { table } = this.#parts;
    connection.account.begin(filterId, terms, table, this.catalog, planned.plan?.sinceSeq ?? table.seq);
    this.#beginnings.begin(connection, planned, () => this.#leaveFastPath(connection));
    this.#pump.begin(connection);
  }

  /** The filters of the connection are about to change: everything gathered for those it has is written out. */
  settle(connection: PooledConnection): void {
    if (connection.backlog === undefined) this.#parts.settle(connection);
  }

  /** A filter is about to be withdrawn, or the firehose to end. */
  end(connection: PooledConnection, filterId: string = FIREHOSE): void {
    connection.account.end(filterId, this.#parts.table, this.catalog);
  }

  endAll(connection: PooledConnection): void {
    connection.account.endAll(this.#parts.table, this.catalog);
  }

  /** The connection wants less than before: what waits of the rest is given up, and it is told so at once. */
  narrowed(connection: PooledConnection): void {
    const { subscriptions } = this.#parts;
    const { backlog, cohort } = connection;
    if (backlog === undefined) return;
    const messages = backlog.narrow((topic) => cohort !== undefined && subscriptions.match(topic).includes(cohort));
    for (const message of messages) {
      connection.socket.write(message.bytes);
      this.#sent(connection, message);
    }
  }

  /** The connection is gone. */
  forget(connection: PooledConnection): void {
    this.#endBacklog(connection);
    connection.deferred = undefined;
  }

  /** Call once a second: closes those that have been behind for too long, and tells how things stand. */
  sweep(): void {
    const { lagMsMax, giveUp, statistics } = this.#parts;
    const nowMs = performance.now();
    let lagMs = 0;
    let messages = 0;
    for (const connection of this.#behind) {
      const lag = connection.backlog!.lagMs(nowMs);
      if (lagMsMax > 0 && lag > lagMsMax) {
        giveUp(connection);
        continue;
      }
      lagMs = Math.max(lagMs, lag);
      messages += connection.backlog!.messages;
    }
    statistics.set('connectionsBehind', this.#behind.size);
    statistics.set('lagMsMax', Math.round(lagMs));
    statistics.set('pendingMessages', messages);
  }

  /** Call after reading: replays that are about to be overtaken give up what they would lose uncounted. */
  watchReplays(): void {
    const { table, index } = this.#parts;
    if (this.#behind.size === 0 || table.seq - this.#lateCheckedAtSeq < index.entries / 8) return;
    this.#lateCheckedAtSeq = table.seq;
    for (const { backlog } of this.#behind) backlog!.giveUpLate();
  }

  /** Under memory pressure less may wait for each connection. */
  conflateHarder(isHarder: boolean): void {
    const { limits } = this.#parts;
    this.#limits = isHarder ? harder(limits) : limits;
    if (!isHarder) return;
    this.values.trim();
    for (const { backlog } of this.#behind) backlog!.pending.shrink(this.#limits);
  }

  /** Closes the slowest tenth of those behind, at least one. @returns how many */
  closeSlowest(): number {
    const nowMs = performance.now();
    const slowest = [...this.#behind].sort((a, b) => b.backlog!.lagMs(nowMs) - a.backlog!.lagMs(nowMs));
    const closed = slowest.slice(0, Math.ceil(slowest.length / 10));
    for (const connection of closed) this.#parts.giveUp(connection);
    return closed.length;
  }

  stop(): void {
    this.#pump.stop();
  }

  #leaveFastPath(connection: PooledConnection): Backlog {
    if (connection.backlog !== undefined) return connection.backlog;
    const nowMs = performance.now();
    const { cohort } = connection;
    cohort?.remove(connection);
    const { history, table } = this.#parts;
    const outgoing = this.#outgoingParts;
    const backlog = new Backlog(
      {
        ...outgoing,
        history,
        table,
        snapshotsOf: (topics) => new SnapshotQueue(topics, table, this.values),
      },
      new PendingSet(),
      nowMs,
    );
    connection.backlog = backlog;
    cohort?.add(connection);
    this.#behind.add(connection);
    return backlog;
  }

  #caughtUp(connection: PooledConnection): void {
    const { isSlow } = connection.backlog!;
    const { cohort } = connection;
    cohort?.remove(connection);
    this.#endBacklog(connection);
    cohort?.add(connection);
    if (isSlow) this.#parts.statistics.add('caughtUp');
    this.#deferred.run(connection);
  }

  #endBacklog(connection: PooledConnection): void {
    connection.backlog = undefined;
    this.#behind.delete(connection);
    this.#pump.forget(connection);
  }

  #sent(connection: PooledConnection, { kind, topic, slot, merged, gap, isReplayed }: Outgoing): void {
    const { statistics } = this.#parts;
    if (kind === 'gap') {
      statistics.add('gapsSent');
      this.countGap(connection, gap!);
    } else if (kind === 'snapshot') {
      statistics.add('snapshotsSent');
      connection.account.snapshots++;
    } else if (isReplayed) {
      statistics.add('replayed');
    } else if (merged > 0) {
      statistics.addMerged(slot, merged);
      connection.account.addMerged(topic, merged);
    }
  }
}

/** Stands for the id of the filter that a connection without one has. */
const FIREHOSE = '';
const EVERYTHING: FilterTerms = { exchanges: [], symbols: [], dataTypes: [] };

function harder({ messages, bytes }: PendingLimits): PendingLimits {
  return {
    messages: Math.ceil((messages || MESSAGES_UNDER_PRESSURE) / HARDER),
    bytes: Math.ceil((bytes || BYTES_UNDER_PRESSURE) / HARDER),
    reason: 'memory_pressure',
  };
}

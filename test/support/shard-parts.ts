import { ConnectionPoolManager } from '../../src/batch/connection-pool-manager.ts';
import type { FlushPolicy } from '../../src/batch/flush-policy.ts';
import type { Config } from '../../src/config/schema.ts';
import type { CloseName } from '../../src/connection/close-codes.ts';
import { Commands } from '../../src/connection/commands.ts';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import type { QueryName } from '../../src/control/messages.ts';
import { Delivery } from '../../src/delivery/delivery.ts';
import type { Epochs } from '../../src/delivery/epochs.ts';
import { ledgerOf } from '../../src/delivery/ledger.ts';
import { snapshotAnswer } from '../../src/delivery/snapshot-answer.ts';
import type { TopicTable } from '../../src/delivery/topic-table.ts';
import type { Receiver } from '../../src/ring/receiver.ts';
import type { SequenceIndexReader } from '../../src/ring/sequence-index.ts';
import type { TopicDirectoryReader } from '../../src/ring/topic-directory.ts';
import { CatchUp } from '../../src/shard/catch-up.ts';
import { TopicRestorer } from '../../src/shard/topic-restorer.ts';
import { SubscriptionManager } from '../../src/subscription/subscription-manager.ts';
import type { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import type { collectingLogger } from './collected-lines.ts';

export interface ShardSurroundings {
  epochs: Epochs;
  statistics: StatisticsBlock;
  directory: TopicDirectoryReader;
  index: SequenceIndexReader;
  receiver: Receiver;
  history: Receiver;
  table: TopicTable;
  policy: FlushPolicy;
  /** A connection with more unread bytes than this is behind. */
  highWaterBytes: number;
  config: Config;
  log: ReturnType<typeof collectingLogger>;
  query: (name: QueryName) => Promise<Record<string, unknown>>;
  close: (connection: PooledConnection, name: CloseName) => void;
  drain: () => void;
  /** By default a resume does not wait for a publication that is yet to come. */
  resumeWaitMs?: number;
}

/** What stands between a shard's ring and its sockets, wired as on a shard but for the duty cycle that drives it. */
export function shardParts({
  policy,
  config,
  query,
  close,
  drain,
  log,
  resumeWaitMs = 0,
  ...memory
}: ShardSurroundings) {
  const { epochs, statistics, directory, index, receiver, history, table, highWaterBytes } = memory;
  const pool = new ConnectionPoolManager({
    statistics,
    policy,
    batchBytesMax: 1024 * 1024,
    highWaterBytes,
    fellBehind: (connection) => delivery.fallBehind(connection),
    behind: (connections, record) => delivery.note(connections, record),
  });
  const subscriptions = new SubscriptionManager(directory, pool);
  const delivery: Delivery = new Delivery({
    epochs,
    statistics,
    directory,
    index,
    history,
    table,
    subscriptions,
    limits: { messages: config.limits.pendingMessages, bytes: config.limits.pendingBytes },
    highWaterBytes,
    lagMsMax: config.slow.maxLagMs,
    settle: (connection) => pool.settle(connection),
    drain,
    resumeWaitMs,
    giveUp: (connection) => close(connection, 'slowConsumer'),
  });
  const commands = new Commands({
    config,
    statistics,
    subscriptions,
    delivery,
    snapshot: (terms, asked) => snapshotAnswer(terms, asked, delivery.catalog, delivery.values),
    ledger: (connection) => ledgerOf(connection, epochs.current, table, delivery.catalog),
    query,
    close,
    log,
  });
  const restorer = new TopicRestorer({ receiver, history, directory, index, table });
  const around = { history, directory, index, table, subscriptions, pool, delivery, log, statistics };
  return { pool, subscriptions, delivery, commands, restorer, catchUp: new CatchUp({ restorer, ...around }) };
}

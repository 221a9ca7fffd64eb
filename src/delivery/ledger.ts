import type { PooledConnection } from '../connection/pooled-connection.ts';
import { DROP_REASONS } from '../telemetry/drop-reasons.ts';
import type { TopicCatalog } from './topic-catalog.ts';
import type { TopicTable } from './topic-table.ts';

/** What became of the publications for one client. published = delivered + merged + all of dropped + pending. */
interface LedgerRow {
  published: number;
  delivered: number;
  merged: number;
  /** By reason; reasons that did not occur are left out. */
  dropped: Record<string, number>;
  pending: number;
}

interface TopicRow extends LedgerRow {
  exchange: string | null;
  symbol: string | null;
  dataType: string | null;
}

/** Topics that one answer tells of. */
const TOPICS_MAX = 1_000;

/** Answer to `getLedger`: the connection's own account, at this point of its stream. What is gathered has been written. */
export function ledgerOf(
  connection: PooledConnection,
  epoch: string,
  table: TopicTable,
  catalog: TopicCatalog,
): Record<string, unknown> {
  const { account, backlog } = connection;
  const pending = new Map<number, number>();
  backlog?.forEachPending((topic, count) => pending.set(topic, (pending.get(topic) ?? 0) + count));
  const total: LedgerRow = { published: 0, delivered: 0, merged: 0, dropped: {}, pending: 0 };
  const topics: TopicRow[] = [];
  let count = 0;
  for (const [topic, published] of account.published(table, catalog)) {
    const row = rowOf(connection, topic, published, pending.get(topic) ?? 0);
    add(total, row);
    if (++count <= TOPICS_MAX) topics.push({ ...catalog.name(topic), ...row });
  }
  return {
    epoch,
    seq: table.seq,
    state: backlog?.lane ?? 'live',
    ...total,
    snapshots: account.snapshots,
    lagMs: Math.round(backlog?.lagMs(performance.now()) ?? 0),
    topics,
    ...(count > TOPICS_MAX ? { truncated: true } : {}),
  };
}

function rowOf({ account }: PooledConnection, topic: number, published: number, pending: number): LedgerRow {
  const { merged = 0, dropped = [] } = account.topicOrNone(topic) ?? {};
  const gone = dropped.reduce((sum, each) => sum + (each ?? 0), 0);
  const byReason = DROP_REASONS.flatMap((reason, index) => (dropped[index] ? [[reason, dropped[index]]] : []));
  return {
    published,
    delivered: published - merged - gone - pending,
    merged,
    dropped: Object.fromEntries(byReason),
    pending,
  };
}

function add(total: LedgerRow, row: LedgerRow): void {
  total.published += row.published;
  total.delivered += row.delivered;
  total.merged += row.merged;
  total.pending += row.pending;
  for (const [reason, count] of Object.entries(row.dropped)) {
    total.dropped[reason] = (total.dropped[reason] ?? 0) + count;
  }
}

import type { ConnectionRow } from './admin-context.ts';

/** What `GET /api/websocket/connections` can be ordered by, the highest first. */
export const CONNECTION_SORTS = [
  'connectedAt',
  'pendingBytes',
  'pendingMessages',
  'lagMs',
  'messagesSent',
  'bytesSent',
  'lastActivity',
] as const;

export type ConnectionSort = (typeof CONNECTION_SORTS)[number];

/** The `limit` rows with the highest `sort`. Ties go by id, so that the order is always the same. */
export function topConnections<Row extends ConnectionRow>(
  rows: readonly Row[],
  sort: ConnectionSort,
  limit: number,
): Row[] {
  return [...rows].sort((a, b) => b[sort] - a[sort] || (a.id < b.id ? -1 : 1)).slice(0, limit);
}

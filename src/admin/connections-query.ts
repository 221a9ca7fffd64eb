import { CONNECTION_SORTS, type ConnectionSort } from './connection-order.ts';
import { invalidParameter } from './invalid-parameter.ts';

export interface ConnectionsQuery {
  limit: number;
  sort: ConnectionSort;
}

/** What `sort` may also be called. */
const SORT_ALIASES: ReadonlyMap<unknown, ConnectionSort> = new Map([['lag', 'lagMs']]);

export const CONNECTIONS_PARAMETERS = ['limit', 'sort'] as const;

const CONNECTIONS_LIMIT_DEFAULT = 100;
const CONNECTIONS_LIMIT_MAX = 1_000;

/** Parameters of `GET /api/websocket/connections`. Throws a 400 that names the bad one. */
export function readConnectionsQuery(query: Readonly<Record<string, unknown>>): ConnectionsQuery {
  return { limit: readLimit(query.limit), sort: readSort(query.sort) };
}

function readLimit(value: unknown): number {
  if (value === undefined) return CONNECTIONS_LIMIT_DEFAULT;
  const limit = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (limit >= 1 && limit <= CONNECTIONS_LIMIT_MAX) return limit;
  throw invalidParameter('limit', value, `a whole number from 1 to ${CONNECTIONS_LIMIT_MAX}`);
}

function readSort(value: unknown): ConnectionSort {
  if (value === undefined) return 'connectedAt';
  const sort = SORT_ALIASES.get(value) ?? CONNECTION_SORTS.find((each) => each === value);
  if (sort === undefined) {
    const allowed = [...CONNECTION_SORTS, ...SORT_ALIASES.keys()];
    throw invalidParameter('sort', value, `one of ${allowed.join(', ')}`);
  }
  return sort;
}

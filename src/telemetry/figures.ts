import type { CloseRow } from '../connection/close-codes.ts';
import { type Blocks, closeTotals, DATA_TYPE_SLOTS_USED, deliveryTotals, total } from './block-totals.ts';
import { type LatencySummary, latencySummary } from './latency-summary.ts';
import type { RecentFigures, RecentRise } from './recent-window.ts';
import { DATA_TYPE_NAMES, type DataTypeName } from './statistics-block.ts';

/**
 * What one instance counts, in a form that adds up with that of others. Every function below tells the figures of all the
 * instances that it is given, of which one alone is the smallest case.
 */
export interface InstanceFigures {
  blocks: Blocks;
  /** Last delivery or command, ms since the epoch; the start of the gateway before the first. */
  lastActivityMs: number;
  /** What limits.pendingBytes allows one connection; 0: no limit. */
  pendingBytesMax: number;
  /** Resident memory of the process. */
  rssBytes: number;
  rise: RecentRise;
}

/** Times in ms, `lastActivity` since the epoch. */
export interface ConnectionStats {
  /** All that were ever accepted. */
  totalConnections: number;
  activeConnections: number;
  /** Filters in force now. */
  totalSubscriptions: number;
  /** Over the closed and the open ones, these up to now. */
  averageConnectionDuration: number;
  /** Data deliveries, one for each recipient. */
  messagesForwarded: number;
  errorsEncountered: number;
  /** Last delivery or command; the start of the gateway before the first. */
  lastActivity: number;
}

export interface PoolStats {
  totalConnections: number;
  activeConnections: number;
  /** Closed for an error: the rows of the close-code table that count as one. */
  errorConnections: number;
  totalMessagesSent: number;
  totalBytesSent: number;
  /** ms, over the last minute. */
  averageLatency: number;
  /** Resident memory of the process, MiB; of several, added up. */
  memoryUsage: number;
  /** Unsent bytes held for clients, in percent of what limits.pendingBytes allows the open connections together. */
  bufferUtilization: number;
  /** Connections closed a minute, over the last minute. */
  connectionTurnover: number;
}

export interface Latencies {
  /** Of the last minute, all data types together. */
  recent: LatencySummary;
  /** Since the start. */
  total: LatencySummary;
  /** Since the start. */
  byType: Record<DataTypeName, LatencySummary>;
}

const MIB = 1024 * 1024;

export function blocksOf(figures: readonly Pick<InstanceFigures, 'blocks'>[]): Blocks {
  return figures.flatMap(({ blocks }) => blocks);
}

/** Connections open now. */
export function connectionsOf(figures: readonly Pick<InstanceFigures, 'blocks'>[]): number {
  return total(blocksOf(figures), 'connectionsOpen');
}

/** @param nowMs ms since the epoch, on the clock that the blocks are told by */
export function connectionStats(
  figures: readonly Pick<InstanceFigures, 'blocks' | 'lastActivityMs'>[],
  nowMs: number,
): ConnectionStats {
  const blocks = blocksOf(figures);
  return {
    totalConnections: total(blocks, 'connectionsAccepted'),
    activeConnections: total(blocks, 'connectionsOpen'),
    totalSubscriptions: total(blocks, 'filtersInForce'),
    averageConnectionDuration: averageDurationMs(blocks, nowMs),
    messagesForwarded: total(blocks, 'messagesForwarded'),
    errorsEncountered: total(blocks, 'errors'),
    lastActivity: figures.reduce((latest, { lastActivityMs }) => Math.max(latest, lastActivityMs), 0),
  };
}

/**
 * @param closeRows the close-code table, in the order in which the blocks count
 * @param recent of the same instances
 */
export function poolStats(
  figures: readonly Omit<InstanceFigures, 'rise'>[],
  closeRows: readonly CloseRow[],
  recent: RecentFigures,
): PoolStats {
  const blocks = blocksOf(figures);
  return {
    totalConnections: total(blocks, 'connectionsAccepted'),
    activeConnections: total(blocks, 'connectionsOpen'),
    errorConnections: errorConnections(blocks, closeRows),
    totalMessagesSent: total(blocks, 'messagesForwarded'),
    totalBytesSent: total(blocks, 'bytesForwarded'),
    averageLatency: recent.latency.averageMs,
    memoryUsage: memoryMb(figures),
    bufferUtilization: bufferUtilization(figures),
    connectionTurnover: round(recent.connectionsClosedPerMinute),
  };
}

export function latencies(blocks: Blocks, recent: RecentFigures): Latencies {
  const of = (slots: readonly number[]) => {
    const { buckets, latencySumUs } = deliveryTotals(blocks, slots);
    return latencySummary(buckets, latencySumUs);
  };
  const byType = Object.fromEntries(DATA_TYPE_NAMES.map((name, slot) => [name, of([slot])]));
  return {
    recent: recent.latency,
    total: of(DATA_TYPE_SLOTS_USED),
    byType: byType as Record<DataTypeName, LatencySummary>,
  };
}

/** Resident memory of the processes, MiB. */
export function memoryMb(figures: readonly Pick<InstanceFigures, 'rssBytes'>[]): number {
  return round(figures.reduce((sum, { rssBytes }) => sum + rssBytes, 0) / MIB);
}

function averageDurationMs(blocks: Blocks, nowMs: number): number {
  const open = total(blocks, 'connectionsOpen');
  const openMs = open * nowMs - (open > 0 ? total(blocks, 'connectedAtMsSum') : 0);
  const connections = open + total(blocks, 'connectionsClosed');
  if (connections === 0) return 0;
  return Math.round((Math.max(0, openMs) + total(blocks, 'connectionDurationMsSum')) / connections);
}

function errorConnections(blocks: Blocks, closeRows: readonly CloseRow[]): number {
  const closes = closeTotals(blocks);
  return closeRows.reduce((sum, { error }, row) => sum + (error ? (closes[row] ?? 0) : 0), 0);
}

function bufferUtilization(figures: readonly Pick<InstanceFigures, 'blocks' | 'pendingBytesMax'>[]): number {
  let pendingBytes = 0;
  let allowedBytes = 0;
  for (const { blocks, pendingBytesMax } of figures.filter((each) => each.pendingBytesMax > 0)) {
    pendingBytes += total(blocks, 'pendingBytes');
    allowedBytes += pendingBytesMax * total(blocks, 'connectionsOpen');
  }
  return allowedBytes === 0 ? 0 : round(Math.min(100, (pendingBytes / allowedBytes) * 100));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

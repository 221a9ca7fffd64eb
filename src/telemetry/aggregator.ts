/**
 * What the statistics blocks of all shards add up to. Runs on the primary thread; reads shared memory, asks no shard
 * anything. In: the blocks, and `sample()` once a second. Out: ConnectionStats, PoolStats, latencies, recent figures.
 */
import type { AdminContext } from '../admin/admin-context.ts';
import type { CloseRow } from '../connection/close-codes.ts';
import {
  type Blocks,
  type CounterTotals,
  closeTotals,
  counterTotals,
  DATA_TYPE_SLOTS_USED,
  deliveryTotals,
  total,
} from './block-totals.ts';
import { type DeliveryAccount, deliveryAccount } from './delivery-account.ts';
import { type Instruments, PROCESS_INSTRUMENTS } from './instruments.ts';
import { type LatencySummary, latencySummary } from './latency-summary.ts';
import { type RecentFigures, RecentWindow, type Snapshot } from './recent-window.ts';
import { DATA_TYPE_NAMES, type DataTypeName } from './statistics-block.ts';

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
  /** Resident memory of the process, MiB. */
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

export class Aggregator {
  readonly #context: AdminContext;
  readonly #instruments: Instruments;
  readonly #closeRows: readonly CloseRow[];
  readonly #window: RecentWindow;
  #lastActivityMs = 0;
  #sampledMs: number;
  #loopBusyMs: number;
  #loopUtilization = 0;

  /** @param closeRows the close-code table, in the order in which the blocks count */
  constructor(context: AdminContext, closeRows: readonly CloseRow[], instruments = PROCESS_INSTRUMENTS) {
    this.#context = context;
    this.#closeRows = closeRows;
    this.#instruments = instruments;
    this.#window = new RecentWindow(() => this.#snapshot());
    this.#sampledMs = instruments.steadyMs();
    this.#loopBusyMs = instruments.loopBusyMs();
  }

  /** Call once a second, from a timer of the gateway's: recent figures are told from these samples. */
  sample(): void {
    this.#window.sample();
    this.#followActivity(this.#context.blocks());
    this.#sampleLoop();
  }

  recent(): RecentFigures {
    return this.#window.recent();
  }

  counters(): CounterTotals {
    return counterTotals(this.#context.blocks());
  }

  activeConnections(): number {
    return total(this.#context.blocks(), 'connectionsOpen');
  }

  connectionStats(): ConnectionStats {
    const blocks = this.#context.blocks();
    return {
      totalConnections: total(blocks, 'connectionsAccepted'),
      activeConnections: total(blocks, 'connectionsOpen'),
      totalSubscriptions: total(blocks, 'filtersInForce'),
      averageConnectionDuration: this.#averageDurationMs(blocks),
      messagesForwarded: total(blocks, 'messagesForwarded'),
      errorsEncountered: total(blocks, 'errors'),
      lastActivity: this.#followActivity(blocks),
    };
  }

  /** @param recent of this moment, where the caller has it already */
  poolStats(recent: RecentFigures = this.recent()): PoolStats {
    const blocks = this.#context.blocks();
    return {
      totalConnections: total(blocks, 'connectionsAccepted'),
      activeConnections: total(blocks, 'connectionsOpen'),
      errorConnections: this.#errorConnections(blocks),
      totalMessagesSent: total(blocks, 'messagesForwarded'),
      totalBytesSent: total(blocks, 'bytesForwarded'),
      averageLatency: recent.latency.averageMs,
      memoryUsage: this.memoryMb(),
      bufferUtilization: this.#bufferUtilization(blocks),
      connectionTurnover: round(recent.connectionsClosedPerMinute),
    };
  }

  /** What is held for clients now. */
  heldForClients(): { connections: number; behind: number; pendingMessages: number; pendingBytes: number } {
    const blocks = this.#context.blocks();
    return {
      connections: total(blocks, 'connectionsOpen'),
      behind: total(blocks, 'connectionsBehind'),
      pendingMessages: total(blocks, 'pendingMessages'),
      pendingBytes: total(blocks, 'pendingBytes'),
    };
  }

  deliveryAccount(): DeliveryAccount {
    return deliveryAccount(this.#context.blocks());
  }

  latencies(recent: RecentFigures = this.recent()): Latencies {
    const blocks = this.#context.blocks();
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

  /** Resident memory of the process, MiB. */
  memoryMb(): number {
    return round(this.#instruments.rssBytes() / MIB);
  }

  uptimeMs(): number {
    return Math.max(0, this.nowMs() - this.#context.startedAtMs);
  }

  /** ms since the epoch, on the clock that the figures are told by. */
  nowMs(): number {
    return this.#instruments.wallMs();
  }

  /** Share of the time between the last two samples that the event loop of the primary was busy, 0..1. */
  loopUtilization(): number {
    return this.#loopUtilization;
  }

  #snapshot(): Snapshot {
    const blocks = this.#context.blocks();
    return {
      atMs: this.#instruments.steadyMs(),
      counters: counterTotals(blocks),
      deliveries: deliveryTotals(blocks),
      publications: this.#context.ring().publications,
      cpuUs: this.#instruments.cpuUs(),
    };
  }

  #sampleLoop(): void {
    const nowMs = this.#instruments.steadyMs();
    const busyMs = this.#instruments.loopBusyMs();
    const passedMs = nowMs - this.#sampledMs;
    if (passedMs > 0) this.#loopUtilization = Math.min(1, Math.max(0, (busyMs - this.#loopBusyMs) / passedMs));
    this.#sampledMs = nowMs;
    this.#loopBusyMs = busyMs;
  }

  #averageDurationMs(blocks: Blocks): number {
    const open = total(blocks, 'connectionsOpen');
    const openMs = open * this.#instruments.wallMs() - (open > 0 ? total(blocks, 'connectedAtMsSum') : 0);
    const connections = open + total(blocks, 'connectionsClosed');
    if (connections === 0) return 0;
    return Math.round((Math.max(0, openMs) + total(blocks, 'connectionDurationMsSum')) / connections);
  }

  #errorConnections(blocks: Blocks): number {
    const closes = closeTotals(blocks);
    return this.#closeRows.reduce((sum, { error }, row) => sum + (error ? (closes[row] ?? 0) : 0), 0);
  }

  #bufferUtilization(blocks: Blocks): number {
    const allowedBytes = this.#context.config.limits.pendingBytes * total(blocks, 'connectionsOpen');
    if (allowedBytes === 0) return 0;
    return round(Math.min(100, (total(blocks, 'pendingBytes') / allowedBytes) * 100));
  }

  /** A shard's own mark goes with its thread; what was seen once stays. */
  #followActivity(blocks: Blocks): number {
    let latestMs = Math.max(this.#lastActivityMs, this.#context.startedAtMs);
    for (const block of blocks) latestMs = Math.max(latestMs, block.get('lastActivityMs'));
    this.#lastActivityMs = latestMs;
    return latestMs;
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

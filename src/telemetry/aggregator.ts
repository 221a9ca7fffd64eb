/**
 * What this instance counts, and what the statistics blocks of all its shards add up to. Runs on the primary thread; reads
 * shared memory, asks no shard anything. In: the blocks, and `sample()` once a second. Out: the raw figures for others to
 * add to theirs, and ConnectionStats, PoolStats, latencies and recent figures of this instance.
 */
import type { AdminContext } from '../admin/admin-context.ts';
import type { CloseRow } from '../connection/close-codes.ts';
import { type Blocks, type CounterTotals, counterTotals, deliveryTotals, total } from './block-totals.ts';
import { type DeliveryAccount, deliveryAccount } from './delivery-account.ts';
import {
  type ConnectionStats,
  connectionStats,
  type InstanceFigures,
  type Latencies,
  latencies,
  memoryMb,
  type PoolStats,
  poolStats,
} from './figures.ts';
import { type Instruments, PROCESS_INSTRUMENTS } from './instruments.ts';
import { type RecentFigures, RecentWindow, recentFigures, type Snapshot } from './recent-window.ts';

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

  /** All of it raw, as it adds up with the figures of other instances. */
  figures(): InstanceFigures {
    return { ...this.#standing(), rise: this.#window.rise() };
  }

  recent(): RecentFigures {
    return recentFigures([this.#window.rise()]);
  }

  counters(): CounterTotals {
    return counterTotals(this.#context.blocks());
  }

  activeConnections(): number {
    return total(this.#context.blocks(), 'connectionsOpen');
  }

  connectionStats(): ConnectionStats {
    return connectionStats([this.#standing()], this.nowMs());
  }

  /** @param recent of this moment, where the caller has it already */
  poolStats(recent: RecentFigures = this.recent()): PoolStats {
    return poolStats([this.#standing()], this.#closeRows, recent);
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
    return latencies(this.#context.blocks(), recent);
  }

  /** Resident memory of the process, MiB. */
  memoryMb(): number {
    return memoryMb([{ rssBytes: this.#instruments.rssBytes() }]);
  }

  uptimeMs(): number {
    return Math.max(0, this.nowMs() - this.#context.startedAtMs);
  }

  /** ms since the epoch, on the clock that the figures are told by. */
  nowMs(): number {
    return this.#instruments.wallMs();
  }

  #standing(): Omit<InstanceFigures, 'rise'> {
    const blocks = this.#context.blocks();
    return {
      blocks,
      lastActivityMs: this.#followActivity(blocks),
      pendingBytesMax: this.#context.config.limits.pendingBytes,
      rssBytes: this.#instruments.rssBytes(),
    };
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

  /** A shard's own mark goes with its thread; what was seen once stays. */
  #followActivity(blocks: Blocks): number {
    let latestMs = Math.max(this.#lastActivityMs, this.#context.startedAtMs);
    for (const block of blocks) latestMs = Math.max(latestMs, block.get('lastActivityMs'));
    this.#lastActivityMs = latestMs;
    return latestMs;
  }
}

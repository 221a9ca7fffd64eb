import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { ConnectionDelivery, ConnectionRow } from '../admin/admin-context.ts';
import type { CohortStream } from '../compression/cohort-stream.ts';
import { Account } from '../delivery/account.ts';
import type { Backlog } from '../delivery/backlog.ts';
import type { Cohort } from '../subscription/cohort.ts';
import type { HeldFilter } from '../subscription/subscription-manager.ts';
import type { CloseName } from './close-codes.ts';
import type { CommandBudget } from './command-budget.ts';
import type { WebSocketProxy } from './websocket-proxy.ts';

export type ConnectionState = 'connecting' | 'open' | 'closing' | 'closed' | 'error';

const NO_FILTERS: ReadonlyMap<string, HeldFilter> = new Map();

/** One client, from its welcome to its close. Belongs to one shard; everything here is that shard's thread's. */
export class PooledConnection {
  readonly id: string;
  /** Counts the connections of its shard. */
  readonly serial: number;
  readonly webSocket: WebSocket;
  /** The TCP socket below it, which data frames go to as they are. */
  readonly socket: Socket;
  /** Whose it is. */
  proxy: WebSocketProxy | undefined;
  /** Why it closes, once it does. */
  closeName: CloseName | undefined;
  /** ms since the epoch. */
  readonly connectedAt: number;
  /** Of the client, which may be another than the socket's: see client-addresses.ts. */
  readonly remoteAddress: string;
  /** Of the last command, ms since the epoch. */
  lastActivity: number;
  /** Data frames written. */
  messagesSent = 0;
  bytesSent = 0;
  errors = 0;
  state: ConnectionState = 'connecting';

  /** True once it has sent a filter: no firehose any more. */
  explicit = false;
  /** By their ids. Shared by all that have none. */
  filters: ReadonlyMap<string, HeldFilter> = NO_FILTERS;
  /** Combinations its filters name. */
  filterTerms = 0;
  /** Channels it has asked for by name; they lead to nothing, but are remembered. */
  channels: Set<string> | undefined;
  cohort: Cohort | undefined;
  cohortIndex = -1;
  /** Of the frames gathered for its cohort's members, how many it has had, or is not to get. */
  cursor = 0;
  /** The largest window that frames for it may be compressed with, bits; 0: they may not. Set before it joins a cohort. */
  windowBits = 0;
  /** The compressed stream that it follows: what its cohort gets, it gets from there. Undefined: plain. */
  stream: CohortStream | undefined;

  readonly budget: CommandBudget;
  /** What it still has to get before it is as far as its cohort; undefined as long as it keeps up. */
  backlog: Backlog | undefined;
  readonly account = new Account();
  /** Commands that change its filters and have to wait, oldest first. */
  deferred: (() => void)[] | undefined;
  /** Until when a resume of it may wait for a publication, on the steady clock, ms; undefined before the first. */
  awaitsUntilMs: number | undefined;
  /** What the socket had received at the last heartbeat, and when that last changed (ms since the epoch). */
  bytesHeard = 0;
  heardAtMs: number;

  constructor(
    id: string,
    serial: number,
    webSocket: WebSocket,
    socket: Socket,
    remoteAddress: string,
    budget: CommandBudget,
    nowMs: number,
  ) {
    this.id = id;
    this.serial = serial;
    this.webSocket = webSocket;
    this.socket = socket;
    this.budget = budget;
    this.remoteAddress = remoteAddress;
    this.connectedAt = nowMs;
    this.lastActivity = nowMs;
    this.heardAtMs = nowMs;
  }

  addFilter(filterId: string, held: HeldFilter): void {
    if (this.filters === NO_FILTERS) this.filters = new Map();
    (this.filters as Map<string, HeldFilter>).set(filterId, held);
  }

  /** Returns whether there was such a one. */
  removeFilter(filterId: string): boolean {
    return (this.filters as Map<string, HeldFilter>).delete(filterId);
  }

  removeAllFilters(): void {
    this.filters = NO_FILTERS;
  }

  get subscriptionCount(): number {
    return this.filters.size + (this.channels?.size ?? 0);
  }

  /** Bytes written but not yet taken by the kernel. */
  get pendingBytes(): number {
    return this.socket.writableLength;
  }

  /** How it is served, as the admin API shows it. */
  get delivery(): ConnectionDelivery {
    const { backlog, account } = this;
    return {
      lane: backlog?.lane ?? 'live',
      lagMs: Math.round(backlog?.lagMs(performance.now()) ?? 0),
      pendingMessages: backlog?.messages ?? 0,
      merged: account.merged,
      dropped: account.droppedTotal,
    };
  }

  /** As the admin API shows it. */
  row(shard: number): ConnectionRow {
    const { id, remoteAddress, connectedAt, lastActivity, messagesSent, bytesSent, errors, pendingBytes, state } = this;
    return {
      id,
      shard,
      remoteAddress,
      connectedAt,
      lastActivity,
      messagesSent,
      bytesSent,
      errors,
      pendingBytes,
      filters: this.filters.size,
      channels: this.channels?.size ?? 0,
      state,
      ...this.delivery,
    };
  }
}

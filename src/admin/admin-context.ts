import type { InstanceIdentity } from '../cluster/instance-identity.ts';
import type { Config } from '../config/schema.ts';
import type { DataFlowStats } from '../dataflow/data-flow-manager.ts';
import type { NumberingKind } from '../frame/numbering.ts';
import type { SourceState } from '../source/source.ts';
import type { Alert } from '../telemetry/alerts.ts';
import type { PressureState } from '../telemetry/pressure-stages.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import type { ConnectionSort } from './connection-order.ts';

/** Where a shard stands, as the supervisor sees it. */
export interface ShardState {
  index: number;
  status: 'starting' | 'running' | 'restarting' | 'draining' | 'stopped';
  restarts: number;
  /** Of those, because the event loop did not turn any more. */
  hangs: number;
  /** It crashes again and again. */
  crashLooping: boolean;
  /** When it is run again, ms since the epoch; only while it waits for that. */
  restartAt?: number;
  lastError?: { message: string; timestamp: number };
}

/** What the numbers of publications are. */
export interface NumberingFigures {
  /** Missing where several instances have each their own. */
  epoch?: string;
  kind: NumberingKind;
  /** Times that something of the source may be missing between two numbers. */
  holes: number;
}

/** What the primary's own side of the path counts. */
export interface RingFigures {
  publications: number;
  numbering: NumberingFigures;
  bytes: number;
  /** Publications that could not be framed, by error code. */
  refused: Record<string, number>;
  topics: number;
  /** Position of the transmitter's tail, in bytes since the start. */
  position: number;
  capacityBytes: number;
  /** Latest values written once more before the ring overwrote them, and those that there was no room for, so far. */
  latestValues: { carried: number; forgotten: number };
}

/** How a connection is served. */
export interface ConnectionDelivery {
  /** live: as things are published; behind: it reads too slowly, so what comes waits for it; replaying: after a resume. */
  lane: 'live' | 'behind' | 'replaying';
  /** Age of the oldest thing that waits for it, ms; 0 when it is live. */
  lagMs: number;
  /** Messages that wait for it. */
  pendingMessages: number;
  /** Publications that another frame of their topic stood for. */
  merged: number;
  /** Publications that it was told it will not get. */
  dropped: number;
}

/** One row of `GET /api/websocket/connections`. Moments in ms since the epoch. */
export interface ConnectionRow extends ConnectionDelivery {
  id: string;
  shard: number;
  remoteAddress: string;
  connectedAt: number;
  lastActivity: number;
  messagesSent: number;
  bytesSent: number;
  errors: number;
  pendingBytes: number;
  filters: number;
  channels: number;
  state: 'connecting' | 'open' | 'closing' | 'closed' | 'error';
}

/**
 * What the admin API, the metrics and the aggregator see of the gateway; the composition root provides it. Everything but
 * `connections` and `flush` is read from memory at once.
 */
export interface AdminContext {
  readonly instance: InstanceIdentity;
  readonly config: Config;
  readonly version: string;
  /** ms since the epoch. */
  readonly startedAtMs: number;
  /** Port of the WebSocket endpoint; 0 before the first shard listens. */
  port(): number;
  running(): boolean;
  blocks(): readonly StatisticsBlock[];
  shards(): readonly ShardState[];
  ring(): RingFigures;
  dataFlow(): DataFlowStats;
  sources(): readonly SourceState[];
  /** What is in force against memory pressure. */
  pressure(): PressureState;
  /** The gateway's own alerts that are pending or firing. */
  alerts(): readonly Alert[];
  /** Lines of the log that could not be written, so far. */
  logLinesLost(): number;
  /** The last error that an operator should see. */
  lastError(): { message: string; timestamp: number } | undefined;
  /**
   * Asks every shard for its connections; a shard that does not answer in time is named. Each gives its `limit` with the
   * highest `sort` (see connection-order.ts), so that the highest of all are among them; more may come than `limit`.
   * @param timeoutMs less than the time that a shard has otherwise
   */
  connections(
    limit: number,
    sort: ConnectionSort,
    timeoutMs?: number,
  ): Promise<{ connections: ConnectionRow[]; silentShards: number[] }>;
  /** Writes out every batch of every shard now. Resolves with the number of messages flushed. */
  flush(timeoutMs?: number): Promise<{ flushed: number; silentShards: number[] }>;
}

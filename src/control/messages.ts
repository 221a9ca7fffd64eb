import type { MessagePort } from 'node:worker_threads';
import type { ConnectionRow } from '../admin/admin-context.ts';
import type { ConnectionSort } from '../admin/connection-order.ts';
import type { ForwardedReply, ForwardedRequest } from '../admin/forwarded-request.ts';
import type { Config } from '../config/schema.ts';
import type { RingMemory } from '../ring/layout.ts';
import type { SequenceIndexMemory } from '../ring/sequence-index.ts';
import type { TopicDirectoryMemory } from '../ring/topic-directory.ts';
import type { LogLevel } from '../telemetry/logger.ts';
import type { PressureStage } from '../telemetry/pressure-stages.ts';

/** Everything that passes between the primary and its shards, in both directions. */

/** What a shard is started with: the argument of its Piscina task. */
export interface ShardTask {
  index: number;
  config: Config;
  version: string;
  /** Name of the numbering: part of every welcome. */
  epoch: string;
  /** Port to listen on; 0 for the first shard of a gateway that takes a free one. */
  port: number;
  reusePort: boolean;
  ring: RingMemory;
  directory: TopicDirectoryMemory;
  sequenceIndex: SequenceIndexMemory;
  /** This shard's statistics block. */
  statistics: SharedArrayBuffer;
  /** Connection counters that all shards share, see control/connection-counter.ts. */
  counter: SharedArrayBuffer;
  /** How the gateway is, see telemetry/health-flag.ts. */
  health: SharedArrayBuffer;
  messages: MessagePort;
}

export type QueryName = 'stats' | 'adapterStatus' | 'systemStats';

export type ToShard =
  | { kind: 'wake' }
  | { kind: 'flush'; id: number }
  | { kind: 'connections'; id: number; limit: number; sort: ConnectionSort }
  | { kind: 'drain'; timeoutMs: number }
  /** What is in force against memory pressure from now on. */
  | { kind: 'pressure'; stage: PressureStage }
  | { kind: 'admitted'; id: number; address: string; admitted: boolean }
  | { kind: 'answer'; id: number; payload: Record<string, unknown> }
  /** The question cannot be answered now. */
  | { kind: 'refused'; id: number; reason: string }
  | { kind: 'reply'; id: number; reply: ForwardedReply };

export type FromShard =
  | { kind: 'listening'; port: number }
  | { kind: 'listenFailed'; code: string; message: string }
  | { kind: 'flushed'; id: number; messages: number }
  | { kind: 'connections'; id: number; rows: ConnectionRow[] }
  | { kind: 'log'; level: LogLevel; fields: Record<string, unknown>; message: string }
  /** May a connection from this address come in? Asked only where `limits.connectionsPerIp` is set. */
  | { kind: 'admit'; id: number; address: string }
  | { kind: 'left'; address: string }
  /** A client asks for something that only the primary knows. */
  | { kind: 'query'; id: number; name: QueryName }
  /** An HTTP request to the admin API. */
  | { kind: 'request'; id: number; request: ForwardedRequest };

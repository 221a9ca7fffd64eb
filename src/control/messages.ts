import type { MessagePort } from 'node:worker_threads';
import type { ConnectionRow } from '../admin/admin-context.ts';
import type { ConnectionSort } from '../admin/connection-order.ts';
import type { ForwardedReply, ForwardedRequest } from '../admin/forwarded-request.ts';
import type { Config } from '../config/schema.ts';
import type { NumberingHole, NumberingName } from '../frame/numbering.ts';
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
  /** Part of every welcome. */
  numbering: NumberingName;
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
  primary: PrimaryTask;
}

/** What a shard has to know of the primary to look after it. */
export interface PrimaryTask {
  /** See control/primary-pulse.ts. */
  pulse: SharedArrayBuffer;
  /** The process may be ended when the primary hangs. */
  ownsProcess: boolean;
  /** Whether the primary is the process's main thread, whose stack can be read. */
  isMainThread: boolean;
}

export type QueryName = 'stats' | 'adapterStatus' | 'systemStats';

export type ToShard =
  | { kind: 'wake' }
  | { kind: 'flush'; id: number }
  | { kind: 'connections'; id: number; limit: number; sort: ConnectionSort }
  /** Nobody comes in any more, and the clients are sent away one after another. A drain follows. */
  | { kind: 'farewell'; drainMs: number }
  | { kind: 'drain'; timeoutMs: number }
  /** The numbering has another name, from the next publication on that comes. */
  | { kind: 'numbering'; numbering: NumberingName }
  /** Numbers of the source that never came. */
  | { kind: 'hole'; hole: NumberingHole }
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

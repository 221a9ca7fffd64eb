import { BroadcastChannel } from 'node:worker_threads';
import type { ShardPhase } from '../../src/telemetry/shard-phases.ts';

/** Name of the channel on which shards of failing-shard.fixture.ts take orders. */
export const FAILURES = 'tickcast-test-failures';

export interface FailureOrder {
  shard: number;
  kind: 'throw' | 'reject' | 'exit' | 'heap' | 'block' | 'spin' | 'wait' | 'match' | 'open' | 'spinIn';
  /** How long a `block` stops the event loop, ms. */
  blockMs?: number;
  /** A FIFO that an `open` waits at in native code, until somebody writes there. */
  path?: string;
  /** What the shard does when a `spinIn` begins: the next time it enters this phase it does not leave it. */
  phase?: ShardPhase;
}

/** Give it to a gateway as its `shardFile`, and its shards do as `failShard` says. */
export const FAILING_SHARD = new URL('./failing-shard.fixture.ts', import.meta.url);

export function failShard(order: FailureOrder): void {
  const orders = new BroadcastChannel(FAILURES);
  orders.postMessage(order);
  orders.close();
}

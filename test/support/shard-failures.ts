import { BroadcastChannel } from 'node:worker_threads';

/** Name of the channel on which shards of failing-shard.fixture.ts take orders. */
export const FAILURES = 'tickcast-test-failures';

export interface FailureOrder {
  shard: number;
  kind: 'throw' | 'reject' | 'exit' | 'heap' | 'block';
  /** How long a `block` stops the event loop, ms. */
  blockMs?: number;
}

/** Give it to a gateway as its `shardFile`, and its shards do as `failShard` says. */
export const FAILING_SHARD = new URL('./failing-shard.fixture.ts', import.meta.url);

export function failShard(order: FailureOrder): void {
  const orders = new BroadcastChannel(FAILURES);
  orders.postMessage(order);
  orders.close();
}

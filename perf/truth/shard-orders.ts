import { BroadcastChannel } from 'node:worker_threads';
import type { ShardOrder } from './gateway-messages.ts';

export const SHARD_ORDERS = 'tickcast-truth-orders';

/** Give it to a gateway as its `shardFile`, and its shards do as they are ordered. */
export const FAILING_SHARD = new URL('./failing-shard.ts', import.meta.url);

export function orderShard(order: ShardOrder): void {
  const orders = new BroadcastChannel(SHARD_ORDERS);
  orders.postMessage(order);
  orders.close();
}

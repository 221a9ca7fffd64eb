/** A shard's entry point that dies or stands still when it is ordered to, over a channel that all threads of a process hear. */
import { BroadcastChannel } from 'node:worker_threads';
import type { ShardTask } from '../../src/control/messages.ts';
import { runShard } from '../../src/shard/shard.ts';
import type { ShardOrder } from './gateway-messages.ts';
import { SHARD_ORDERS } from './shard-orders.ts';

export default async function runFailingShard(task: ShardTask): Promise<void> {
  const orders = new BroadcastChannel(SHARD_ORDERS);
  orders.onmessage = (event) => {
    const order = (event as { data: ShardOrder }).data;
    // Out of the handler, where nothing of the channel stands between the failure and the thread.
    if (order.shard === task.index) setImmediate(() => obey(order));
  };
  await runShard(task);
  orders.close();
}

function obey({ kind, blockMs = 0 }: ShardOrder): void {
  if (kind === 'throw') throw new Error('thrown on order');
  if (kind === 'exit') process.exit(3);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
}

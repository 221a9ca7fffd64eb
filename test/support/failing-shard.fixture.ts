import { BroadcastChannel } from 'node:worker_threads';
import type { ShardTask } from '../../src/control/messages.ts';
import { runShard } from '../../src/shard/shard.ts';
import { FAILURES, type FailureOrder } from './shard-failures.ts';

/** Entry point of a shard that fails when it is told to, see shard-failures.ts. */
export default async function runFailingShard(task: ShardTask): Promise<void> {
  const orders = new BroadcastChannel(FAILURES);
  orders.onmessage = (event) => {
    const order = (event as { data: FailureOrder }).data;
    // Out of the handler, where nothing of the channel stands between the failure and the thread.
    if (order.shard === task.index) setImmediate(() => fail(order));
  };
  await runShard(task);
  orders.close();
}

function fail({ kind, blockMs = 0 }: FailureOrder): void {
  switch (kind) {
    case 'throw':
      throw new Error('thrown on order');
    case 'reject':
      void Promise.reject(new Error('rejected on order'));
      return;
    case 'exit':
      return process.exit(3);
    case 'heap':
      return fillHeap();
    case 'block':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
  }
}

function fillHeap(): void {
  const kept: unknown[] = [];
  for (;;) kept.push(Array.from({ length: 1_000 }, (_, n) => ({ n })));
}

import { closeSync, openSync } from 'node:fs';
import { BroadcastChannel } from 'node:worker_threads';
import type { ShardTask } from '../../src/control/messages.ts';
import { runShard } from '../../src/shard/shard.ts';
import { PHASE, type ShardPhase } from '../../src/telemetry/shard-phases.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
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

function fail({ kind, blockMs = 0, path = '', phase = 'idle' }: FailureOrder): void {
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
      return;
    case 'spin':
      return spinOnOrder();
    case 'spinIn':
      return spinIn(phase);
    case 'wait':
      return waitOnOrder();
    case 'match':
      return matchOnOrder();
    case 'open':
      return closeSync(openSync(path, 'r'));
  }
}

function spinOnOrder(): void {
  for (;;);
}

function spinIn(phase: ShardPhase): void {
  const { set } = StatisticsBlock.prototype;
  StatisticsBlock.prototype.set = function setOrSpin(name, value) {
    set.call(this, name, value);
    if (name === 'phase' && value === PHASE[phase]) spinOnOrder();
  };
}

function waitOnOrder(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Takes some 2^60 steps. */
function matchOnOrder(): void {
  /^(a+)+$/.test(`${'a'.repeat(60)}b`);
}

function fillHeap(): void {
  const kept: unknown[] = [];
  for (;;) kept.push(Array.from({ length: 1_000 }, (_, n) => ({ n })));
}

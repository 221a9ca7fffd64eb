import type { ShardTask } from '../../src/control/messages.ts';
import { runShard } from '../../src/shard/shard.ts';

/** Entry point of shards of which the last does not come up: TICKCAST_TEST_START says how. */
export default async function runMisstartingShard(task: ShardTask): Promise<void> {
  const [how, shard] = (process.env.TICKCAST_TEST_START ?? '').split(':');
  if (task.index !== Number(shard)) return runShard(task);
  if (how === 'throws') throw new Error('no way up');
  if (how === 'returns') return;
  if (how === 'spins') for (;;);
  await new Promise(() => setInterval(() => {}, 1_000));
}

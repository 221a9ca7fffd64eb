import { runShard } from '../src/shard/shard.ts';

/** Entry point of a shard's thread: a long-lived Piscina task. */
export default runShard;

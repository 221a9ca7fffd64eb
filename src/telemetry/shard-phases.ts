/**
 * What a shard does, as one number in its statistics block: written at the borders of its turns, so that one that hangs has
 * left a word of where, even where its stack cannot be read.
 */
export const SHARD_PHASES = [
  'idle', // none of the others: what Node.js does by itself, or nothing
  'restoring', // coming up: where each topic stands
  'reading', // the ring, into batches
  'flushing', // batches to sockets
  'replaying', // to those who are behind or have come back
  'handshake',
  'command', // of a client
  'housekeeping',
  'answering', // the primary
] as const;

export type ShardPhase = (typeof SHARD_PHASES)[number];

/** The phases by name, as they are written. */
export const PHASE = Object.fromEntries(SHARD_PHASES.map((name, number) => [name, number])) as Readonly<
  Record<ShardPhase, number>
>;

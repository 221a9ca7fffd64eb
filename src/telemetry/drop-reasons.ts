/**
 * Why publications were not delivered, nor merged into a later frame: the `reason` of a gap message, and of the metric. A
 * reason's place is its index in the statistics, so reasons are only added at the end.
 */
export const DROP_REASONS = [
  'slow_consumer', // more waited for a slow connection than limits.pendingMessages or limits.pendingBytes
  'shard_lapped', // the transmitter ran over the shard
  'unsubscribed', // was pending for a slow connection when it withdrew the filter
  'replay_overrun', // the transmitter overtook a replay
  'memory_pressure', // the process was over memory.thresholdMb
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

/** Index of a reason in the list, and in the statistics. */
export function dropReasonIndex(reason: DropReason): number {
  return DROP_REASONS.indexOf(reason);
}

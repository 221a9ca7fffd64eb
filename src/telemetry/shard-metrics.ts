import { type MetricRow, ofBlocks, ofShards } from './metric-row.ts';

/** How each shard fares. */
export const SHARD_METRICS: readonly MetricRow[] = [
  ofShards('gauge', 'tickcast_shard_up', '1 while the shard is running', ({ status }) =>
    status === 'running' ? 1 : 0,
  ),
  ofShards(
    'counter',
    'tickcast_shard_restarts_total',
    'Times the shard was run again after a crash',
    ({ restarts }) => restarts,
  ),
  ofShards(
    'counter',
    'tickcast_shard_hangs_total',
    'Times the event loop of the shard did not turn any more, and its thread was ended',
    ({ hangs }) => hangs,
  ),
  ofShards('gauge', 'tickcast_shard_crash_looping', '1 while the shard is in a crash loop', ({ crashLooping }) =>
    crashLooping ? 1 : 0,
  ),
  ofBlocks(
    'tickcast_shard_primary_silences_total',
    'Times the shard found that the event loop of the primary thread did not turn',
    'primarySilences',
  ),
  ofBlocks('tickcast_shard_records_read_total', 'Ring records seen', 'recordsRead'),
  ofBlocks('tickcast_shard_records_matched_total', 'Ring records that a client of the shard wanted', 'recordsMatched'),
  ofBlocks('tickcast_shard_lapped_total', 'Times the transmitter ran over the shard', 'lapped'),
  ofBlocks('tickcast_shard_records_lost_total', 'Ring records that the shard did not see for that', 'recordsLost'),
  ofBlocks('tickcast_shard_wakes_total', 'Wake-up messages received', 'wakes'),
  ofShards(
    'counter',
    'tickcast_shard_cpu_seconds_total',
    'CPU time of the thread since it came up',
    ({ cpuMs }) => cpuMs / 1_000,
  ),
  ofShards('gauge', 'tickcast_shard_topics', 'Topics that the shard knows', ({ topics }) => topics),
  ofShards(
    'gauge',
    'tickcast_shard_ring_lag_bytes',
    'How far the shard is behind the transmitter',
    ({ ringLagBytes }) => ringLagBytes,
  ),
  ofShards(
    'gauge',
    'tickcast_shard_batch_delay_seconds',
    'How long a batch gathers now, or from the beginning of a pass to the next',
    ({ batchDelayMs }) => batchDelayMs / 1_000,
  ),
  ofShards(
    'gauge',
    'tickcast_shard_loop_utilization_ratio',
    'Share of the last second that the event loop was busy, 0 to 1',
    ({ loopUtilization }) => loopUtilization,
  ),
  ofShards(
    'gauge',
    'tickcast_shard_loop_delay_p99_seconds',
    'Event loop delay, 99th percentile of the last second',
    ({ loopDelayP99Ms }) => loopDelayP99Ms / 1_000,
  ),
  ofShards('gauge', 'tickcast_shard_heap_bytes', 'JavaScript heap in use', ({ heapUsedBytes }) => heapUsedBytes),
  ofShards('gauge', 'tickcast_shard_heartbeat_age_seconds', 'Since the duty cycle last turned', ({ heartbeatAgeMs }) =>
    heartbeatAgeMs === undefined ? undefined : heartbeatAgeMs / 1_000,
  ),
];

import type { AdminContext, ShardState } from '../admin/admin-context.ts';
import type { StatisticsBlock } from './statistics-block.ts';

/** One shard, as the supervisor and its own statistics see it. Gauges are 0 while it is not running. */
export interface ShardFigures extends ShardState {
  connections: number;
  filters: number;
  channels: number;
  cohorts: number;
  topics: number;
  /** Unsent bytes held for clients. */
  pendingBytes: number;
  /** Connections off the fast path, the messages that wait for them, and how far the slowest of them is behind. */
  connectionsBehind: number;
  pendingMessages: number;
  lagMsMax: number;
  /** How far the shard is behind the transmitter. */
  ringLagBytes: number;
  /** How long a batch gathers now. */
  batchDelayMs: number;
  /** 0..1, over the last second. */
  loopUtilization: number;
  /** Over the last second. */
  loopDelayP99Ms: number;
  heapUsedBytes: number;
  /** CPU time of the thread since it came up. */
  cpuMs: number;
  /** Since the duty cycle last turned; undefined before the first turn. */
  heartbeatAgeMs: number | undefined;
  lapped: number;
  recordsLost: number;
}

/** All shards of the gateway, in order. */
export function shardFigures(context: AdminContext, wallMs = Date.now()): ShardFigures[] {
  const blocks = context.blocks();
  const { position } = context.ring();
  return context.shards().flatMap((state) => {
    const block = blocks[state.index];
    return block === undefined ? [] : [figuresOf(state, block, position, wallMs)];
  });
}

function figuresOf(state: ShardState, block: StatisticsBlock, position: number, wallMs: number): ShardFigures {
  const heartbeatMs = block.get('heartbeatMs');
  // Before the thread has turned once its position means nothing.
  const ringLagBytes = heartbeatMs === 0 ? 0 : Math.max(0, position - block.get('ringPosition'));
  return {
    ...state,
    connections: block.get('connectionsOpen'),
    filters: block.get('filtersInForce'),
    channels: block.get('channelsInForce'),
    cohorts: block.get('cohorts'),
    topics: block.get('topicsKnown'),
    pendingBytes: block.get('pendingBytes'),
    connectionsBehind: block.get('connectionsBehind'),
    pendingMessages: block.get('pendingMessages'),
    lagMsMax: block.get('lagMsMax'),
    ringLagBytes,
    batchDelayMs: block.get('batchDelayUs') / 1_000,
    loopUtilization: block.get('loopUtilization'),
    loopDelayP99Ms: block.get('loopDelayP99Us') / 1_000,
    heapUsedBytes: block.get('heapUsedBytes'),
    cpuMs: block.get('cpuUs') / 1_000,
    heartbeatAgeMs: heartbeatMs === 0 ? undefined : Math.max(0, wallMs - heartbeatMs),
    lapped: block.get('lapped'),
    recordsLost: block.get('recordsLost'),
  };
}

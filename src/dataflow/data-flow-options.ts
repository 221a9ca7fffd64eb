import type { Logger } from '../telemetry/logger.ts';

export interface DataFlowOptions {
  /** Publications that may wait for slow channels, over all channels; beyond it the oldest goes. */
  queueLimit?: number;
  /** Queue length at which back-pressure begins; it ends below 80 % of it. */
  backpressureAt?: number;
  /** Refuse a trade or ticker whose price is not a number. */
  strict?: boolean;
  /** Longest that `stop` and `unregisterChannel` wait for a channel to drain and close, in ms. */
  stopTimeoutMs?: number;
  logger?: Logger | undefined;
  clock?: Clock;
}

/** µs since the epoch. */
export interface Clock {
  nowUs(): number;
}

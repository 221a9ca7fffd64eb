import type { ErrorCode } from '../util/errors.ts';

/** The figures of one DataFlowManager, as they stand; a copy that nobody changes later. */
export interface DataFlowStats {
  /** Publications accepted: normalised, not refused by a transformer. */
  totalProcessed: number;
  /** Deliveries that an output channel finished: one publication to three channels counts three. */
  totalSent: number;
  /** Everything that went wrong; the sum of `errorsByCode`. */
  totalErrors: number;
  /** ms from when a publication was due until it was with its channels or their queues; of the last 1,000 or so. */
  averageLatency: number;
  /** Publications that wait for slow channels, over all channels. */
  currentQueueSize: number;
  backpressureActive: boolean;
  /** Channels that are registered, enabled and not closing. */
  activeChannels: number;
  routingRules: number;
  /** ms since the epoch of the last accepted publication; 0 before the first. */
  lastActivity: number;
  /** Accepted publications that no rule sent anywhere, while there were rules. */
  totalUnrouted: number;
  /** Deliveries given up: the oldest of a full queue, and what a closing channel did not take in time. */
  totalDropped: number;
  errorsByCode: Partial<Record<ErrorCode, number>>;
}

/** What the parts of DataFlow count into. */
export class DataFlowCounters {
  processed = 0;
  sent = 0;
  dropped = 0;
  unrouted = 0;
}

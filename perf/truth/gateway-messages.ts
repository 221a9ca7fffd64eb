import type { ConfigOverrides } from '../../src/config/schema.ts';
import type { MarketOptions } from './market.ts';

/** How fast to publish. */
export interface Pace {
  /** Publications a second; 0: as fast as it goes. */
  ratePerS: number;
  /** Every so many ms there is a burst as fast as it goes; 0: never. */
  burstEveryMs: number;
  burstPublications: number;
}

/** From the harness to the process with the gateway. */
export type ToGateway =
  | { kind: 'start'; options: ConfigOverrides; market: MarketOptions }
  | { kind: 'publish'; pace: Pace }
  | { kind: 'pause' }
  | { kind: 'fail'; order: ShardOrder };

/** From the process with the gateway. */
export type FromGateway =
  | { kind: 'started'; port: number; shards: number }
  /** `total`: publications since the start, which is the seq of the last. */
  | { kind: 'paused'; total: number }
  | { kind: 'failed'; message: string };

/** What a shard is to do: die, or stand still for a while. */
export interface ShardOrder {
  shard: number;
  kind: 'throw' | 'exit' | 'block';
  blockMs?: number;
}

import type { SourceNumber } from './source-number.ts';

/**
 * One normalised event of a market. Any JSON object passes: unknown keys, unknown types and absent fields are forwarded
 * as they are. Units: `timestamp` and `receivedAt` in milliseconds since the epoch.
 *
 * Ownership: from `processData` on, a publication and everything in it belongs to the gateway. DataFlow itself never
 * writes to the object it was given (a frozen one is fine); whoever published it must not change it any more, and a
 * channel, rule or transformer that wants it different makes its own.
 */
export interface Publication {
  /** Lower case after normalising. */
  exchange?: string;
  /** Upper case after normalising; separators stay as given. */
  symbol?: string;
  /** `trade`, `ticker`, `kline`, `depth`, or any other; on the wire `data` where there is none. */
  type?: string;
  /** A number (ms) or an ISO string; never a numeric string after normalising. */
  timestamp?: number | string;
  data?: unknown;
  /** When the gateway got it. Normalising adds it where it is missing; what was added is not sent to clients. */
  receivedAt?: number;
  latency?: number;
  metadata?: Record<string, unknown>;
  [key: string]: unknown;
}

/** A publication that has passed the normaliser and has every field of a market event. */
export interface MarketData extends Publication {
  exchange: string;
  symbol: string;
  type: string;
  timestamp: number;
  receivedAt: number;
}

/** What travels beside a publication through DataFlow to the output channels. One a publication, never used again. */
export interface PublicationContext {
  /** Name of the source it came from; `direct` where `processData` was given none. */
  source: string;
  /** When it should have left the source, in µs since the epoch; latency is measured from here. */
  dueUs: number;
  /** True where `receivedAt` was added by the normaliser; the object that holds it is then DataFlow's own, not frozen. */
  receivedAtAdded: boolean;
  /** Its identity, where the source gives it one. */
  number?: SourceNumber | undefined;
}

import { AdaptivePolicy } from '../../src/batch/adaptive-policy.ts';

const NO_TARGETS = { trade: 0, ticker: 0, kline: 0, depth: 0 };

/** A policy that waits for `delayMsMax` at most. @param ofTypes targets of data types, ms */
export function adaptivePolicy(maxMessages: number, delayMsMax: number, ofTypes: Partial<typeof NO_TARGETS> = {}) {
  const targetP99MsOf = { ...NO_TARGETS, ...ofTypes };
  return new AdaptivePolicy({ maxMessages, maxDelayMs: delayMsMax, targetP99Ms: 60_000, targetP99MsOf });
}

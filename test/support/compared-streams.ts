import { StreamComparer, type StreamComparerOptions } from '../../src/compare/stream-comparer.ts';

export const COMPARER_OPTIONS: StreamComparerOptions = {
  terms: undefined,
  ignored: [],
  topicsMax: 1_000,
  examplesMax: 3,
  windowMs: 10_000,
  patienceMs: 5_000,
  entriesMax: 1_000_000,
  bytesMax: 1_000_000_000,
  lateAfterMs: 5_000,
  slack: { beforeMs: 5_000, afterMs: 2_000 },
};

/** A comparer that has begun to measure at 0. */
export function measuringComparer(options: Partial<StreamComparerOptions> = {}): StreamComparer {
  const comparer = new StreamComparer({ ...COMPARER_OPTIONS, ...options });
  comparer.findings.beginAt(0);
  return comparer;
}

/** A message as Tickcast sends it. */
export function frame(payload: object, more: object = {}): string {
  const { type = 'data' } = payload as { type?: string };
  return JSON.stringify({ type, payload, timestamp: 1, seq: 1, prevSeq: 0, ...more });
}

export function trade(id: number, more: object = {}): Record<string, unknown> {
  return { type: 'trade', exchange: 'binance', symbol: 'X', timestamp: 1_000 + id, data: { id, price: 7 }, ...more };
}

export function ticker(n: number, lastPrice: unknown = n): Record<string, unknown> {
  return { type: 'ticker', exchange: 'binance', symbol: 'X', timestamp: 1_000 + n, data: { lastPrice } };
}

export function gap(dataType: string, count: number): string {
  const payload = { exchange: 'binance', symbol: 'X', dataType, fromSeq: 1, toSeq: 9, count, reason: 'slow_consumer' };
  return JSON.stringify({ type: 'gap', payload, timestamp: 1 });
}

import type { RingMemory } from '../../src/ring/layout.ts';
import type { HistogramWire } from '../load/latency-histogram.ts';

/** What a reader thread is started with. `posts`: it gets publications as messages, without a ring. */
export interface ReaderTask {
  how: 'ring' | 'posts';
  ring: RingMemory;
  progress: SharedArrayBuffer;
}

/** Indices into the reader's progress, a Float64Array that only the reader writes. */
export const RECORDS_INDEX = 0;
export const POSITION_INDEX = 1;
export const LAPPED_INDEX = 2;
export const ORDER_ERRORS_INDEX = 3;
export const PROGRESS_WORDS = 4;

/** To the reader: a wake-up, one publication (`posts`), or the wish for its latencies so far, which ends their taking. */
export type ToReader =
  | { kind: 'wake' }
  | { kind: 'post'; seq: number; dueUs: number; bytes: Uint8Array }
  | { kind: 'report' };
export interface FromReader {
  latency: HistogramWire;
}

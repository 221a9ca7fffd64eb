import { textFrame } from '../frame/frame-header.ts';
import { BookMerge } from './book-merge.ts';
import type { BookMessage } from './book-reader.ts';
import { isBook } from './delivery-policy.ts';
import { readDepth } from './depth.ts';
import { type FrameTail, textOfFrame, withTail } from './frame-tail.ts';
import type { HeldFrame } from './held-frame.ts';
import type { LatestValues } from './latest-values.ts';
import type { Conflated } from './pending-set.ts';

/** Merged levels below this are sent as they are: the full book is not worth building to compare. */
const LEVELS_COMPARED_MIN = 32;

/** The one frame that stands for all that was pending of a topic. */
export interface ConflatedFrame {
  readonly bytes: Buffer;
  /** Publications that it stands for besides its own. */
  readonly merged: number;
}

/**
 * Makes it: the newest publication, the merged updates of a book, or its full book, whichever is due or smaller. Undefined:
 * a book that needs its full form, which is not kept, or is that of a newer update by now.
 */
export function conflate(
  { own, last, updates }: Conflated,
  values: LatestValues,
  resumeSeq: number | undefined,
): ConflatedFrame | undefined {
  const merged = last.ordinal - own.ordinal - 1;
  const tail: FrameTail = { prevSeq: own.seq, merged, ...(resumeSeq === undefined ? {} : { resumeSeq }) };
  if (!isBook(last.policy)) return { bytes: linked(last, tail), merged };
  const bytes = updates === undefined ? fullBook(last, values, tail) : bookFrame(last, updates, values, tail);
  return bytes === undefined ? undefined : { bytes, merged };
}

function fullBook({ topic, seq }: HeldFrame, values: LatestValues, tail: FrameTail): Buffer | undefined {
  return values.isNewest(topic, seq) ? values.fullBook(topic, tail) : undefined;
}

/** The frame as it was published, with another end where it needs one. */
export function linked({ bytes, prevSeq }: HeldFrame, tail: FrameTail): Buffer {
  if (tail.prevSeq === prevSeq && !tail.merged && tail.resumeSeq === undefined) return bytes;
  return withTail(bytes, 0, bytes.length, tail);
}

function bookFrame(last: HeldFrame, updates: readonly HeldFrame[], values: LatestValues, tail: FrameTail): Buffer {
  if (updates.length === 1) return linked(last, tail);
  const merge = new BookMerge();
  let newest: BookMessage | undefined;
  for (const { bytes } of updates) {
    newest = JSON.parse(textOfFrame(bytes, 0, bytes.length)) as BookMessage;
    const depth = readDepth(newest.payload.data);
    if (depth !== undefined) merge.add(depth);
  }
  const { bids, asks, isSnapshot } = merge.result();
  const levels = bids.length + asks.length;
  if (levels > LEVELS_COMPARED_MIN && isFullSmaller(last, levels, values)) {
    const full = fullBook(last, values, tail);
    if (full !== undefined) return full;
  }
  const { type, payload, timestamp, seq, prevSeq } = newest!;
  const data = { ...payload.data, bids, asks, ...(isSnapshot ? { isSnapshot } : {}) };
  const frame = textFrame(JSON.stringify({ type, payload: { ...payload, data }, timestamp, seq, prevSeq }));
  return withTail(frame, 0, frame.length, tail);
}

/** Not where the book has moved on. */
function isFullSmaller({ topic, seq }: HeldFrame, levels: number, values: LatestValues): boolean {
  return values.isNewest(topic, seq) && (values.bookLevels(topic) ?? levels) < levels;
}

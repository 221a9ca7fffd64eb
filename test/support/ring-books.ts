import { type Depth, type Level, readDepth } from '../../src/delivery/depth.ts';
import type { Receiver } from '../../src/ring/receiver.ts';
import type { TopicDirectoryReader } from '../../src/ring/topic-directory.ts';
import { NaiveBook } from './depths.ts';
import { textsOf } from './received-frames.ts';

/** A full order book, as it was after the publication `seq`. */
export interface RingBook {
  seq: number;
  bids: Level[];
  asks: Level[];
  /** Of the newest publication. */
  data: unknown;
}

/**
 * Builds the topic's book from the ring as plainly as it can be: from the record that the directory names, through all that
 * the topic has published since. Undefined where some of it cannot be read.
 */
export function readBook(history: Receiver, directory: TopicDirectoryReader, topic: number): RingBook | undefined {
  const latestAt = directory.latest(topic);
  if (!history.readAt(directory.book(topic)) || history.topic !== topic) return undefined;
  const { seq: baseSeq } = history;
  let { data } = payloadIn(history);
  const base = readDepth(data);
  if (base === undefined) return undefined;
  const since: Depth[] = [];
  let seq = baseSeq;
  for (let at = latestAt; ; at = history.previous) {
    if (!history.readAt(at) || history.topic !== topic) return undefined;
    if (history.seq <= baseSeq) break;
    const update = payloadIn(history).data;
    if (since.length === 0 && seq === baseSeq) data = update;
    seq = Math.max(seq, history.seq);
    const depth = readDepth(update);
    if (depth !== undefined) since.unshift(depth);
    if (history.prevSeq <= baseSeq) break;
  }
  const book = new NaiveBook();
  // What a book is built up from is the whole of it.
  book.apply({ ...base, isSnapshot: true });
  for (const depth of since) book.apply(depth);
  return { seq, bids: book.bids(), asks: book.asks(), data };
}

/** The payload of the frame that the receiver has read. */
export function payloadIn({ bytes, frameStart, frameEnd }: Receiver): { data?: unknown; [field: string]: unknown } {
  const [text] = textsOf(bytes.subarray(frameStart, frameEnd));
  return (JSON.parse(text!) as { payload: { data?: unknown } }).payload;
}

import type { Level } from '../../src/delivery/depth.ts';
import type { RingMemory } from '../../src/ring/layout.ts';
import type { SequenceIndexMemory } from '../../src/ring/sequence-index.ts';
import type { TopicDirectoryMemory } from '../../src/ring/topic-directory.ts';

/** What the threads of the frame stage's stress test tell each other, and how a publication proves itself. */
export interface FrameStressTask {
  ring: RingMemory;
  directory: TopicDirectoryMemory;
  index: SequenceIndexMemory;
  /** Words of CONTROL. */
  control: Int32Array;
  seed: number;
}

export interface FrameWriterTask extends FrameStressTask {
  durationMs: number;
}

export interface FrameReaderReport {
  /** Latest values read, books built from the ring, entries of the index looked up, and what had to be looked up again. */
  values: number;
  books: number;
  entries: number;
  again: number;
  /** What was wrong, the first few; none of it is allowed. */
  faults: string[];
}

export interface FrameWriterReport {
  published: number;
  carried: number;
  forgotten: number;
}

/** Indices into the shared words: readers that have begun; 1 once the writer is done. */
export const CONTROL = { readers: 0, done: 1, words: 2 } as const;

/** What a publication's data has: `text`, or the sides of a book; `sum` is that of the text, or of the full book. */
export interface StressData {
  n: number;
  text: string;
  bids: Level[];
  asks: Level[];
  sum: number;
}

/** Topics by id: those that publish once, books, and the rest, which publish all the time. */
export const QUIET = 40;
export const BOOKS = 4;
export const LOUD = 6;
export const TOPICS = QUIET + BOOKS + LOUD;

/** Topic of a publication; the first TOPICS publications are one for each. */
export function topicOf(seq: number, seed: number): number {
  if (seq <= TOPICS) return seq - 1;
  return QUIET + (mixed(seq ^ seed) % (BOOKS + LOUD));
}

export function isBookTopic(topic: number): boolean {
  return topic >= QUIET && topic < QUIET + BOOKS;
}

/** Of a publication's data: its text and its number. */
export function sumOf(text: string, n: number): number {
  let sum = n;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return sum;
}

export function sumOfBook(bids: readonly Level[], asks: readonly Level[]): number {
  return sumOf(JSON.stringify([bids, asks]), 0);
}

function mixed(value: number): number {
  const once = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return (once ^ (once >>> 13)) >>> 0;
}

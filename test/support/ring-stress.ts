import { FRAME, type RingMemory } from '../../src/ring/layout.ts';
import type { RecordCursor } from '../../src/ring/receiver.ts';
import type { RecordFields } from '../../src/ring/transmitter.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What the threads of the ring's stress test tell each other, and how a record proves itself. */
export interface StressTask {
  ring: RingMemory;
  /** Words of CONTROL. */
  control: Int32Array;
  seed: number;
}

export type ReaderPace =
  | 'fast' // reads on as long as there is something
  | 'slow' // pauses for some milliseconds after each chunk
  | 'stopped'; // now and then, until the writer has gone round three times

export interface ReaderTask extends StressTask {
  pace: ReaderPace;
}

export interface WriterTask extends StressTask {
  durationMs: number;
}

export interface ReaderReport {
  pace: ReaderPace;
  received: number;
  /** By the jumps in seq. */
  lost: number;
  lapped: number;
  /** Records of the past, read again by their position: those that were still there, and those that were not. */
  readAgain: number;
  gone: number;
  /** What was wrong, the first few; none of it is allowed. */
  faults: string[];
}

/** Indices into the shared words: readers that have begun; publications in all, once the writer is done. */
export const CONTROL = { readers: 0, published: 1, words: 2 } as const;

/** The least payload: seq, checksum, length. */
export const PAYLOAD_MIN = 16;
/** They take turns: a topic's record before is the one so many before. */
const TOPICS = 5;
const CHECKSUM_AT = 8;
const LENGTH_AT = 12;

/** Fills `payload` with noise that only this record has, and the checksum over all of it. */
export function fillPayload(payload: DataView, bytes: number, seq: number, random: SeededRandom): void {
  payload.setFloat64(0, seq, true);
  payload.setInt32(LENGTH_AT, bytes, true);
  let word = random.below(2 ** 32) + seq;
  for (let at = PAYLOAD_MIN; at < bytes; at += 4) {
    word = Math.imul(word, 1_664_525) + 1_013_904_223;
    if (at + 4 <= bytes) payload.setInt32(at, word, true);
    else for (let last = at; last < bytes; last++) payload.setUint8(last, word >>> 24);
  }
  payload.setInt32(CHECKSUM_AT, checksum(payload, 0, bytes), true);
}

/** Undefined when all bytes are those of the record that the header tells of, else what is wrong. */
export function faultIn(record: RecordCursor, payload: DataView, payloadAt: number): string | undefined {
  const { seq } = record;
  const bytes = record.frameEnd - payloadAt;
  if (bytes < PAYLOAD_MIN) return `seq ${seq}: ${bytes} bytes of payload`;
  if (payload.getFloat64(payloadAt, true) !== seq) return `seq ${seq} has the payload of another`;
  if (payload.getInt32(payloadAt + LENGTH_AT, true) !== bytes) return `seq ${seq} has the length of another`;
  if (!hasFields(record)) return `seq ${seq}: a torn header`;
  const expected = payload.getInt32(payloadAt + CHECKSUM_AT, true);
  return checksum(payload, payloadAt, bytes) === expected ? undefined : `seq ${seq}: the checksum does not match`;
}

/** What the header of a record says, by its number, but for where its topic's record before stands. */
export function fieldsOf(seq: number): Omit<RecordFields, 'previous'> {
  return {
    kind: FRAME,
    topic: (seq * 7) % TOPICS,
    slot: seq % 6,
    policy: seq % 4,
    seq,
    dueUs: seq * 3 + 0.25,
    ordinal: Math.ceil(seq / TOPICS),
    prevSeq: Math.max(0, seq - TOPICS),
  };
}

/** Whether the header of a record, as it was received, is that of its number. */
export function hasFields(record: RecordCursor): boolean {
  const { kind, topic, slot, policy, dueUs, ordinal, prevSeq } = fieldsOf(record.seq);
  return (
    record.kind === kind &&
    record.topic === topic &&
    record.slot === slot &&
    record.policy === policy &&
    record.dueUs === dueUs &&
    record.ordinal === ordinal &&
    record.prevSeq === prevSeq
  );
}

function checksum(payload: DataView, from: number, bytes: number): number {
  let sum = bytes;
  let at = from + PAYLOAD_MIN;
  const end = from + bytes;
  for (; at + 4 <= end; at += 4) sum = Math.imul(sum ^ payload.getInt32(at, true), 0x01000193);
  for (; at < end; at++) sum = Math.imul(sum ^ payload.getUint8(at), 0x01000193);
  return sum;
}

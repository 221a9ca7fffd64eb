import { expect } from 'vitest';
import { textFrame } from '../../src/frame/frame-header.ts';
import { BOOK, CARRIED, FRAME, INTENT_INDEX, type RingMemory, RingViews, TAIL_INDEX } from '../../src/ring/layout.ts';
import type { RecordCursor } from '../../src/ring/receiver.ts';
import type { RecordFields, Transmitter } from '../../src/ring/transmitter.ts';

/** By number modulo their count: mostly publications, 1 to 3 among them. */
const KINDS = [BOOK, FRAME, FRAME, FRAME, CARRIED] as const;
const POLICIES = 4;

/** A record as it was received, copied out of the receiver's own copy. */
export interface ReceivedRecord extends RecordFields {
  frame: Buffer;
}

/** What the header of a record with this number says: a value of its own in each field, large ones among them. */
export function expectedFields(seq: number): RecordFields {
  return {
    kind: KINDS[seq % KINDS.length]!,
    topic: seq % 1_000,
    slot: seq % 7,
    policy: seq % POLICIES,
    seq,
    dueUs: seq * 1_000 + 0.5,
    previous: seq * 8 - 8,
    ordinal: Math.imul(seq, 0x9e3779b1) >>> 0,
    prevSeq: seq * 2 ** 20 - 1,
  };
}

/** What a record with this number and size carries: all of it follows from the two, so a reader can check every byte. */
export function expectedRecord(seq: number, payloadBytes: number): ReceivedRecord {
  return { ...expectedFields(seq), frame: textFrame(payloadOf(seq, payloadBytes)) };
}

/** Claims, writes and commits such a record; `publish` is the caller's. Returns its position. */
export function commitRecord(transmitter: Transmitter, seq: number, payloadBytes: number): number {
  writeFrame(transmitter, seq, payloadBytes);
  return commitWritten(transmitter, seq, payloadBytes);
}

/** The first half of `commitRecord`: claims, calls `claimed`, and writes the frame. */
export function writeFrame(transmitter: Transmitter, seq: number, payloadBytes: number, claimed?: () => void): void {
  const { frame } = expectedRecord(seq, payloadBytes);
  const at = transmitter.claim(payloadBytes);
  claimed?.();
  transmitter.data.set(frame, at - (frame.length - payloadBytes));
}

/** The second half of `commitRecord`. */
export function commitWritten(transmitter: Transmitter, seq: number, payloadBytes: number): number {
  const { frame, ...fields } = expectedRecord(seq, payloadBytes);
  return transmitter.commit(payloadBytes, frame.length, fields);
}

/** Commits and publishes such a record. Returns its position. */
export function publishRecord(transmitter: Transmitter, seq: number, payloadBytes: number): number {
  const position = commitRecord(transmitter, seq, payloadBytes);
  transmitter.publish();
  return position;
}

export function copyOf(record: RecordCursor): ReceivedRecord {
  const { bytes, frameStart, frameEnd } = record;
  return { ...fieldsOf(record), frame: Buffer.from(bytes.subarray(frameStart, frameEnd)) };
}

/** The header of a record as it was received, without its frame. */
export function fieldsOf(record: RecordCursor): RecordFields {
  const { kind, topic, slot, policy, seq, dueUs, previous, ordinal, prevSeq } = record;
  return { kind, topic, slot, policy, seq, dueUs, previous, ordinal, prevSeq };
}

/** Undefined when the record is exactly what was published under its number, else what is wrong with it. */
export function faultOf(record: RecordCursor, expected: ReceivedRecord): string | undefined {
  for (const field of FIELDS) {
    if (record[field] !== expected[field]) return `${field} is ${record[field]}, expected ${expected[field]}`;
  }
  const frame = record.bytes.subarray(record.frameStart, record.frameEnd);
  if (frame.length !== expected.frame.length) return `${frame.length} bytes, expected ${expected.frame.length}`;
  return frame.equals(expected.frame) ? undefined : 'the bytes of the frame are torn';
}

export function expectIntact(record: ReceivedRecord, seq: number, payloadBytes: number): void {
  const expected = expectedRecord(seq, payloadBytes);
  expect({ ...record, frame: undefined }).toEqual({ ...expected, frame: undefined });
  // Not by toEqual, which takes its time over a megabyte.
  expect(record.frame.equals(expected.frame)).toBe(true);
}

/** Makes a fresh ring stand where it would after `tail` bytes, announced up to `intent`. */
export function setPositions(ring: RingMemory, tail: number, intent = tail): void {
  const { positions } = new RingViews(ring);
  positions[TAIL_INDEX] = BigInt(tail);
  positions[INTENT_INDEX] = BigInt(intent);
}

export function positionsOf(ring: RingMemory): { tail: number; intent: number } {
  const { positions } = new RingViews(ring);
  return { tail: Number(positions[TAIL_INDEX]), intent: Number(positions[INTENT_INDEX]) };
}

/** ASCII that differs from byte to byte and from record to record. */
function payloadOf(seq: number, bytes: number): string {
  const start = seq % ALPHABET.length;
  const cycle = ALPHABET.slice(start) + ALPHABET.slice(0, start);
  const text = `${seq}:`.padEnd(PREFIX, '.') + cycle.repeat(Math.ceil(bytes / cycle.length));
  return text.slice(0, bytes);
}

const FIELDS = Object.keys(expectedFields(1)) as (keyof RecordFields)[];
const PREFIX = 20;
/** 61 of them, a prime: the cycle falls differently in every record, whatever their sizes. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678';

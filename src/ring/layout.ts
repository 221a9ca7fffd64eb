import { assert } from '../util/assert.ts';

/**
 * The broadcast ring in shared memory: the specification. No other file writes a numeric offset.
 *
 *     0            control
 *     ├ +0         INTENT   position up to which the transmitter may be writing (BigInt64)
 *     ├ +128       TAIL     position up to which records are complete (BigInt64)
 *     ├ +256       WAITING  one flag a receiver, 128 bytes apart (Int32: 0 at work, 1 waiting for a wake-up)
 *     └ …
 *     DATA         `capacity` bytes, a power of two; position p lives at offset p mod capacity
 *
 * A position counts bytes since the ring was made and only grows; it is exact in a double up to 2^53.
 * Words that different threads write stand 128 bytes apart (two cache lines: adjacent lines are fetched in pairs).
 *
 * A record, aligned to 8 bytes, never wraps:
 *
 *     +0    length      Int32    bytes of the whole record, a multiple of 8
 *     +4    kind        Int32    FRAME, PADDING, CARRIED or BOOK; padding has nothing after this word
 *     +8    topic       Int32    id in the topic directory
 *     +12   slot        Int16    statistics slot of the data type
 *     +14   policy      Int16    how it may be conflated, see delivery/delivery-policy.ts
 *     +16   seq         Float64  number of the publication
 *     +24   due         Float64  when it should have left its source, µs since the epoch
 *     +32   previous    Float64  position of this topic's record before, -1 for none
 *     +40   frameLength Int32    bytes of the frame, header and payload
 *     +44   ordinal     Uint32   the topic's how-manieth publication it is; the first is 1; goes round after 2^32
 *     +48   prevSeq     Float64  number of the topic's publication before, 0 for none
 *     +56   room for a frame header of up to 10 bytes, which ends where the payload begins
 *     +72   payload     bytes; the frame is [payload - header length, payload + payload length)
 *
 * CARRIED is a copy of a topic's latest FRAME, moved ahead before the ring overwrites it; BOOK is a full order book, as it
 * was after the publication `seq`. Neither is delivered: shards read them when somebody asks for a topic's latest value.
 *
 * After Agrona's RecordDescriptor and BroadcastBufferDescriptor; the payload at a fixed place is ours: the length of the
 * text, and so of the frame header, is known only once the text is written.
 */
const CACHE_LINES = 128;
export const RECEIVERS_MAX = 64;

const INTENT_AT = 0;
const TAIL_AT = INTENT_AT + CACHE_LINES;
const WAITING_AT = TAIL_AT + CACHE_LINES;
const CONTROL_BYTES = WAITING_AT + RECEIVERS_MAX * CACHE_LINES;

/** Indices into the ring's BigInt64Array. */
export const INTENT_INDEX = INTENT_AT / 8;
export const TAIL_INDEX = TAIL_AT / 8;

/** Index of a receiver's waiting flag in the ring's Int32Array. */
export function waitingIndex(receiver: number): number {
  assert(receiver >= 0 && receiver < RECEIVERS_MAX, 'a receiver has a number below RECEIVERS_MAX');
  return (WAITING_AT + receiver * CACHE_LINES) / 4;
}

const RECORD_ALIGNMENT = 8;
export const LENGTH_AT = 0;
export const KIND_AT = LENGTH_AT + 4;
export const TOPIC_AT = KIND_AT + 4;
export const SLOT_AT = TOPIC_AT + 4;
export const POLICY_AT = SLOT_AT + 2;
export const SEQ_AT = POLICY_AT + 2;
export const DUE_AT = SEQ_AT + 8;
export const PREVIOUS_AT = DUE_AT + 8;
export const FRAME_LENGTH_AT = PREVIOUS_AT + 8;
export const ORDINAL_AT = FRAME_LENGTH_AT + 4;
export const PREV_SEQ_AT = ORDINAL_AT + 4;
export const PAYLOAD_AT = PREV_SEQ_AT + 8 + 16;

/** Kinds of record. */
export const FRAME = 1;
export const PADDING = 2;
export const CARRIED = 3;
export const BOOK = 4;

/** `previous` of a topic's first record. */
export const NO_POSITION = -1;

assert(PAYLOAD_AT === 72 && PAYLOAD_AT % RECORD_ALIGNMENT === 0, 'a payload is aligned');

/** One ring, as the threads pass it to each other. */
export interface RingMemory {
  readonly memory: SharedArrayBuffer;
  readonly capacity: number;
}

/** @param bytes wanted capacity; rounded up to a power of two, at least 64 KiB */
export function allocateRing(bytes: number): RingMemory {
  const capacity = 2 ** Math.ceil(Math.log2(Math.max(bytes, 65_536)));
  return { memory: new SharedArrayBuffer(CONTROL_BYTES + capacity), capacity };
}

/** The three views every user of the ring needs. `data` begins at position 0 of the ring. */
export class RingViews {
  readonly capacity: number;
  readonly positions: BigInt64Array;
  readonly flags: Int32Array;
  readonly data: Buffer;

  constructor({ memory, capacity }: RingMemory) {
    assert(Number.isInteger(Math.log2(capacity)), 'the capacity of the ring is a power of two');
    assert(memory.byteLength === CONTROL_BYTES + capacity, 'the ring has the size of its layout');
    this.capacity = capacity;
    this.positions = new BigInt64Array(memory, 0, CONTROL_BYTES / 8);
    this.flags = new Int32Array(memory, 0, CONTROL_BYTES / 4);
    this.data = Buffer.from(memory, CONTROL_BYTES, capacity);
  }
}

/** Largest payload that a ring of this capacity takes: four records fit, so a receiver has time for one. */
export function payloadBytesMax(capacity: number): number {
  return capacity / 4 - PAYLOAD_AT;
}

/** Bytes of the record that carries a payload of this length. */
export function recordBytes(payloadBytes: number): number {
  return (PAYLOAD_AT + payloadBytes + RECORD_ALIGNMENT - 1) & ~(RECORD_ALIGNMENT - 1);
}

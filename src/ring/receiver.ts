import { assert } from '../util/assert.ts';
import {
  DUE_AT,
  FRAME_LENGTH_AT,
  INTENT_INDEX,
  KIND_AT,
  LENGTH_AT,
  ORDINAL_AT,
  PADDING,
  PAYLOAD_AT,
  POLICY_AT,
  PREV_SEQ_AT,
  PREVIOUS_AT,
  type RingMemory,
  RingViews,
  SEQ_AT,
  SLOT_AT,
  TAIL_INDEX,
  TOPIC_AT,
} from './layout.ts';

/**
 * One reader of the ring. Runs on a shard's thread. In: the shared ring. Out: records, one at a time, copied out of
 * shared memory. It never holds up the transmitter; when it is too slow, the transmitter runs over it (it is lapped).
 *
 * A chunk of the ring is copied at once and validated once, and only then are its headers read: a header that was torn by
 * the writer never decides where the next record starts. After Agrona's BroadcastReceiver and CopyBroadcastReceiver,
 * which read the length before they validate.
 */
const CHUNK_BYTES = 256 * 1024;

/** The record under the cursor: fields of the receiver's own copy, valid until the handler returns. */
export interface RecordCursor {
  /** The copy that holds the frame: [frameStart, frameEnd) are its bytes, ready for a socket. */
  readonly bytes: Buffer;
  readonly frameStart: number;
  readonly frameEnd: number;
  /** FRAME, CARRIED or BOOK. */
  readonly kind: number;
  readonly topic: number;
  /** Statistics slot of the data type. */
  readonly slot: number;
  /** How it may be conflated: a code of delivery/delivery-policy.ts. */
  readonly policy: number;
  readonly seq: number;
  /** seq of this topic's publication before, 0 for none. */
  readonly prevSeq: number;
  /** The topic's how-manieth publication this is, from 1, modulo 2^32. */
  readonly ordinal: number;
  readonly dueUs: number;
  /** Position of this topic's record before, NO_POSITION for none. */
  readonly previous: number;
  /** Where the record stands in the ring. */
  readonly at: number;
}

export class Receiver implements RecordCursor {
  bytes: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  frameStart = 0;
  frameEnd = 0;
  kind = 0;
  topic = 0;
  slot = 0;
  policy = 0;
  seq = 0;
  prevSeq = 0;
  ordinal = 0;
  dueUs = 0;
  previous = 0;
  at = 0;
  /** Times the transmitter ran over this receiver. */
  lapped = 0;
  readonly #views: RingViews;
  #view: DataView;
  #position: number;

  /** Begins at the tail: what was published before is not received. */
  constructor(ring: RingMemory) {
    this.#views = new RingViews(ring);
    this.#view = viewOf(this.bytes);
    this.#position = this.tail;
  }

  /** Where the next record is read: bytes since the ring was made. */
  get position(): number {
    return this.#position;
  }

  /** End of what has been published: where `position` comes to stand once all of it has been received. */
  get tail(): number {
    // Partner: Transmitter.publish.
    return Number(Atomics.load(this.#views.positions, TAIL_INDEX));
  }

  /** True when everything published has been received. */
  get drained(): boolean {
    return this.#position >= this.tail;
  }

  /**
   * Hands the next records to `handle`, up to about 256 KiB of them, and returns how many there were. 0: nothing to read,
   * or lapped: then `lapped` has grown by one and the receiver stands at the tail, past all that it lost.
   */
  receive(handle: (record: RecordCursor) => void): number {
    for (;;) {
      const tail = this.tail;
      if (tail <= this.#position) return 0;
      const copied = this.#copyChunk(tail);
      if (copied < 0) return this.#lap();
      const count = this.#handleCopied(copied, handle);
      if (count > 0) return count;
    }
  }

  /** Goes on from the record at `position`, which need not have been published yet: then it waits there. */
  moveTo(position: number): void {
    this.#position = position;
  }

  /**
   * Reads the one record at `position`, such as a topic's latest, without moving on.
   * @returns false when it has been overwritten, or for NO_POSITION; the fields are then meaningless
   */
  readAt(position: number): boolean {
    if (position < 0) return false;
    if (this.#copy(position, PAYLOAD_AT) < PAYLOAD_AT) return false;
    const length = this.#view.getInt32(LENGTH_AT, true);
    if (this.#copy(position, length) < length) return false;
    this.#take(0, position);
    return true;
  }

  /** As `readAt`, but the record's fields alone, without its frame. */
  peekAt(position: number): boolean {
    if (position < 0 || this.#copy(position, PAYLOAD_AT) < PAYLOAD_AT) return false;
    this.#take(0, position);
    return true;
  }

  /** Whether what stands at `position` has not begun to be overwritten. */
  holds(position: number): boolean {
    // Partner: Transmitter raises INTENT before it overwrites.
    const intent = Number(Atomics.load(this.#views.positions, INTENT_INDEX));
    return position >= 0 && intent - this.#views.capacity <= position;
  }

  /** Copies what comes next, at least one whole record, except that long padding is only seen by its header. */
  #copyChunk(tail: number): number {
    const copied = this.#copy(this.#position, Math.min(CHUNK_BYTES, tail - this.#position));
    if (copied < 0) return copied;
    const first = this.#view.getInt32(LENGTH_AT, true);
    if (first <= copied || this.#view.getInt32(KIND_AT, true) === PADDING) return copied;
    return this.#copy(this.#position, first);
  }

  #handleCopied(copied: number, handle: (record: RecordCursor) => void): number {
    const view = this.#view;
    let at = 0;
    let count = 0;
    while (at + 8 <= copied) {
      const length = view.getInt32(at + LENGTH_AT, true);
      // Validated bytes without a length would be read for ever.
      assert(length > 0, 'a record has a length');
      const padding = view.getInt32(at + KIND_AT, true) === PADDING;
      if (at + length > copied && !padding) break;
      const position = this.#position;
      // Moved on first: a handler that throws does not meet the same record again.
      this.#position += length;
      if (!padding) {
        this.#take(at, position);
        handle(this);
        count++;
      }
      at += length;
    }
    return count;
  }

  #take(at: number, position: number): void {
    const view = this.#view;
    this.at = position;
    this.kind = view.getInt32(at + KIND_AT, true);
    const frameLength = view.getInt32(at + FRAME_LENGTH_AT, true);
    this.topic = view.getInt32(at + TOPIC_AT, true);
    this.slot = view.getInt16(at + SLOT_AT, true);
    this.policy = view.getInt16(at + POLICY_AT, true);
    this.seq = view.getFloat64(at + SEQ_AT, true);
    this.prevSeq = view.getFloat64(at + PREV_SEQ_AT, true);
    this.ordinal = view.getUint32(at + ORDINAL_AT, true);
    this.dueUs = view.getFloat64(at + DUE_AT, true);
    this.previous = view.getFloat64(at + PREVIOUS_AT, true);
    this.frameStart = at + PAYLOAD_AT - headerBytesOfFrame(frameLength);
    this.frameEnd = this.frameStart + frameLength;
  }

  /** Copies up to `length` bytes from `position`, less where the ring ends. Returns how many, or -1 when lapped. */
  #copy(position: number, length: number): number {
    const { data, capacity, positions } = this.#views;
    const offset = position % capacity;
    const end = Math.min(capacity, offset + length);
    const bytes = end - offset;
    if (bytes > this.bytes.length) this.#grow(bytes);
    this.bytes.set(data.subarray(offset, end));
    // Partner: Transmitter raises INTENT before it overwrites. A read-modify-write, not a load: the bytes copied above
    // must have been read before it, and only that keeps the order on ARM.
    const intent = Number(Atomics.add(positions, INTENT_INDEX, 0n));
    return intent - capacity > position ? -1 : bytes;
  }

  #grow(bytes: number): void {
    this.bytes = Buffer.allocUnsafeSlow(bytes);
    this.#view = viewOf(this.bytes);
  }

  #lap(): 0 {
    this.lapped++;
    this.#position = this.tail;
    return 0;
  }
}

/** Bytes of the server-to-client frame header in a frame of `frameBytes` bytes (RFC 6455 §5.2). */
function headerBytesOfFrame(frameBytes: number): number {
  if (frameBytes <= 2 + 125) return 2;
  return frameBytes <= 4 + 65_535 ? 4 : 10;
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

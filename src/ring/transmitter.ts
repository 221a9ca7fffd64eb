import { assert } from '../util/assert.ts';
import {
  CARRIED,
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
  payloadBytesMax,
  type RingMemory,
  RingViews,
  recordBytes,
  SEQ_AT,
  SLOT_AT,
  TAIL_INDEX,
  TOPIC_AT,
} from './layout.ts';

/**
 * The ring's one writer. Runs on the primary thread. In: the bytes of a frame, written in place between `claim` and
 * `commit`. Out: a complete record that any number of receivers may read. It never waits for one.
 *
 * The order of a publication, as a receiver relies on it:
 *
 *     1  INTENT  ≥ end of the record    from here on, what stood there before does not count
 *     2  bytes of the record
 *     3  TAIL    = end of the record    from here on, the record counts
 *
 * INTENT moves in strides, so most publications store one position, not two. A stride too far only makes a receiver give
 * up bytes that would have been valid a moment longer. After Agrona's BroadcastTransmitter.
 */
const INTENT_STRIDE = 16 * 1024;

/** What a record says of its frame; for the meaning of each see layout.ts. */
export interface RecordFields {
  kind: number;
  topic: number;
  slot: number;
  policy: number;
  seq: number;
  dueUs: number;
  previous: number;
  ordinal: number;
  prevSeq: number;
}

export class Transmitter {
  /** The ring's bytes. Write the payload at the offset that `claim` returned, the frame header right before it. */
  readonly data: Buffer;
  readonly capacity: number;
  /** Largest payload, in bytes. */
  readonly payloadBytesMax: number;
  readonly #positions: BigInt64Array;
  readonly #stride: number;
  readonly #view: DataView;
  #tail: number;
  #tailOffset: number;
  #intent: number;
  #claimed = 0;
  #claimedEnd = 0;
  #claimedOffset = 0;

  constructor(ring: RingMemory) {
    const views = new RingViews(ring);
    this.data = views.data;
    this.capacity = views.capacity;
    this.payloadBytesMax = payloadBytesMax(views.capacity);
    this.#positions = views.positions;
    this.#stride = Math.min(INTENT_STRIDE, views.capacity / 8);
    this.#view = new DataView(this.data.buffer, this.data.byteOffset, this.data.byteLength);
    this.#tail = Number(Atomics.load(this.#positions, TAIL_INDEX));
    this.#tailOffset = this.#tail % this.capacity;
    this.#intent = Number(Atomics.load(this.#positions, INTENT_INDEX));
  }

  /** End of the last complete record: bytes since the ring was made. */
  get position(): number {
    return this.#tail;
  }

  /**
   * Makes room for a payload of at most `payloadBytes` bytes (≤ `payloadBytesMax`) and returns the offset in `data` where
   * it begins. A claim that is not committed is simply forgotten.
   */
  claim(payloadBytes: number): number {
    assert(payloadBytes <= this.payloadBytesMax, 'a payload fits the ring');
    const length = recordBytes(payloadBytes);
    let position = this.#tail;
    let offset = this.#tailOffset;
    const contiguous = this.capacity - offset;
    if (length > contiguous) {
      this.#announce(position + contiguous + length);
      this.#view.setInt32(offset + LENGTH_AT, contiguous, true);
      this.#view.setInt32(offset + KIND_AT, PADDING, true);
      position += contiguous;
      offset = 0;
    } else {
      this.#announce(position + length);
    }
    this.#claimed = position;
    this.#claimedEnd = position + length;
    this.#claimedOffset = offset;
    return offset + PAYLOAD_AT;
  }

  /**
   * Completes the claimed record; receivers see it after the next `publish`.
   * @param payloadBytes what was written, at most what was claimed
   * @param frameBytes payload and frame header together
   * @returns position of the record
   */
  commit(payloadBytes: number, frameBytes: number, fields: RecordFields): number {
    const at = this.#claimedOffset;
    const length = recordBytes(payloadBytes);
    assert(this.#claimed >= this.#tail && this.#claimed + length <= this.#claimedEnd, 'a commit follows its claim');
    const view = this.#view;
    view.setInt32(at + LENGTH_AT, length, true);
    view.setInt32(at + KIND_AT, fields.kind, true);
    view.setInt32(at + TOPIC_AT, fields.topic, true);
    view.setInt16(at + SLOT_AT, fields.slot, true);
    view.setInt16(at + POLICY_AT, fields.policy, true);
    view.setFloat64(at + SEQ_AT, fields.seq, true);
    view.setFloat64(at + DUE_AT, fields.dueUs, true);
    view.setFloat64(at + PREVIOUS_AT, fields.previous, true);
    view.setInt32(at + FRAME_LENGTH_AT, frameBytes, true);
    view.setUint32(at + ORDINAL_AT, fields.ordinal, true);
    view.setFloat64(at + PREV_SEQ_AT, fields.prevSeq, true);
    return this.#complete(length);
  }

  /** The bytes of the record at `position`, which must not have been overwritten, for `carry`. */
  copyOf(position: number): Buffer {
    const at = position & (this.capacity - 1);
    return Buffer.from(this.data.subarray(at, at + this.#view.getInt32(at + LENGTH_AT, true)));
  }

  /**
   * Commits a record that was copied earlier, as CARRIED.
   * @returns position of the copy
   */
  carry(record: Buffer): number {
    this.claim(record.length - PAYLOAD_AT);
    this.data.set(record, this.#claimedOffset);
    this.#view.setInt32(this.#claimedOffset + KIND_AT, CARRIED, true);
    return this.#complete(record.length);
  }

  /** Up to where a claim of `payloadBytes` would overwrite the ring: what stands before that position is lost then. */
  lostBy(payloadBytes: number): number {
    const length = recordBytes(payloadBytes);
    const contiguous = this.capacity - this.#tailOffset;
    const end = this.#tail + length + (length > contiguous ? contiguous : 0);
    return Math.max(end > this.#intent ? end + this.#stride : this.#intent, end) - this.capacity;
  }

  /** Makes everything committed visible to the receivers. */
  publish(): void {
    // Partner: Receiver.receive loads TAIL before it copies.
    Atomics.store(this.#positions, TAIL_INDEX, BigInt(this.#tail));
  }

  #complete(length: number): number {
    this.#tail = this.#claimed + length;
    this.#tailOffset = (this.#claimedOffset + length) & (this.capacity - 1);
    return this.#claimed;
  }

  #announce(end: number): void {
    if (end <= this.#intent) return;
    this.#intent = end + this.#stride;
    // Partner: Receiver's validation reads INTENT after it has copied. An exchange, not a store: the bytes written next
    // must not become visible before it, and only a read-modify-write keeps that order on ARM.
    Atomics.exchange(this.#positions, INTENT_INDEX, BigInt(this.#intent));
  }
}

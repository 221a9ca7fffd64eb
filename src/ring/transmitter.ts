import { assert } from '../util/assert.ts';
import {
  DUE_AT,
  FRAME,
  FRAME_LENGTH_AT,
  INTENT_INDEX,
  KIND_AT,
  LENGTH_AT,
  PADDING,
  PAYLOAD_AT,
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
   * @param previous position of the topic's record before, or NO_POSITION
   * @returns position of the record
   */
  commit(
    payloadBytes: number,
    frameBytes: number,
    topic: number,
    slot: number,
    seq: number,
    dueUs: number,
    previous: number,
  ): number {
    const at = this.#claimedOffset;
    const length = recordBytes(payloadBytes);
    assert(this.#claimed >= this.#tail && this.#claimed + length <= this.#claimedEnd, 'a commit follows its claim');
    const view = this.#view;
    view.setInt32(at + LENGTH_AT, length, true);
    view.setInt32(at + KIND_AT, FRAME, true);
    view.setInt32(at + TOPIC_AT, topic, true);
    view.setInt32(at + SLOT_AT, slot, true);
    view.setFloat64(at + SEQ_AT, seq, true);
    view.setFloat64(at + DUE_AT, dueUs, true);
    view.setFloat64(at + PREVIOUS_AT, previous, true);
    view.setInt32(at + FRAME_LENGTH_AT, frameBytes, true);
    this.#tail = this.#claimed + length;
    this.#tailOffset = (at + length) & (this.capacity - 1);
    return this.#claimed;
  }

  /** Makes everything committed visible to the receivers. */
  publish(): void {
    // Partner: Receiver.receive loads TAIL before it copies.
    Atomics.store(this.#positions, TAIL_INDEX, BigInt(this.#tail));
  }

  #announce(end: number): void {
    if (end <= this.#intent) return;
    this.#intent = end + this.#stride;
    // Partner: Receiver's validation reads INTENT after it has copied. An exchange, not a store: the bytes written next
    // must not become visible before it, and only a read-modify-write keeps that order on ARM.
    Atomics.exchange(this.#positions, INTENT_INDEX, BigInt(this.#intent));
  }
}

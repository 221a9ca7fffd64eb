import type { PooledConnection } from '../connection/pooled-connection.ts';
import type { RecordCursor } from '../ring/receiver.ts';
import type { BatchBuffers } from './batch-buffers.ts';

/** Where in a batch a member's share begins: not at 0 for one that joined while the batch was being gathered. */
export interface Share {
  /** Bytes, and frames, that were there before it came. */
  readonly offset: number;
  readonly messages: number;
  /** Of these frames, those that carry publications. */
  readonly data: number;
}

/** Slot of a message that is no publication. */
export const NO_SLOT = -1;

/**
 * The frames that one cohort's members get with their next write, back to back: what a socket takes is one run of bytes.
 * Beside them stands what the statistics want of each frame.
 */
export class Batch {
  bytes: Buffer;
  /** Bytes gathered. */
  length = 0;
  /** Frames gathered. */
  messages = 0;
  /** Of these, those that carry publications. */
  data = 0;
  /** Data type slot and due time (µs since the epoch) of frame i, and where it ends. */
  readonly slots: number[] = [];
  readonly dues: number[] = [];
  readonly ends: number[] = [];
  readonly #joiners = new Map<PooledConnection, Share>();
  /** When its first frame came, ms of the shard's clock. */
  openedAtMs = 0;
  /** True once a socket may still hold the bytes: they must not be used again. */
  held = false;
  /** Members that it has been written to whole, and as it is; the pool counts them. */
  recipients = 0;
  /** All that has been gathered, once it is being written; the same in a buffer no larger than needed. */
  whole: Buffer | undefined;
  exact: Buffer | undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Copies the record's frame to the end, into a larger buffer where this one is full. */
  append(record: RecordCursor, buffers: BatchBuffers): void {
    const end = this.length + record.frameEnd - record.frameStart;
    if (end > this.bytes.length) this.#grow(end, buffers);
    record.bytes.copy(this.bytes, this.length, record.frameStart, record.frameEnd);
    this.#added(record.slot, record.dueUs, end);
    this.data++;
  }

  /** Copies a message that is no publication to the end. */
  appendMessage(message: Buffer, buffers: BatchBuffers): void {
    const end = this.length + message.length;
    if (end > this.bytes.length) this.#grow(end, buffers);
    message.copy(this.bytes, this.length);
    this.#added(NO_SLOT, 0, end);
  }

  /** What is gathered so far is not for `member`. */
  addJoiner(member: PooledConnection): void {
    this.#joiners.set(member, { offset: this.length, messages: this.messages, data: this.data });
  }

  shareOf(member: PooledConnection): Share {
    return this.#joiners.size === 0 ? WHOLE : (this.#joiners.get(member) ?? WHOLE);
  }

  #added(slot: number, dueUs: number, end: number): void {
    this.slots.push(slot);
    this.dues.push(dueUs);
    this.ends.push(end);
    this.length = end;
    this.messages++;
  }

  #grow(bytes: number, buffers: BatchBuffers): void {
    const larger = buffers.take(bytes);
    this.bytes.copy(larger, 0, 0, this.length);
    if (!this.held) buffers.giveBack(this.bytes);
    this.bytes = larger;
    this.held = false;
  }
}

const WHOLE: Share = { offset: 0, messages: 0, data: 0 };

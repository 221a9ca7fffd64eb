import type { RecordCursor } from '../ring/receiver.ts';
import type { BatchBuffers } from './batch-buffers.ts';

/** Slot of a message that is no publication. */
export const NO_SLOT = -1;

/**
 * The frames that a cohort's members still have to get, back to back: what a socket takes is one run of bytes. Each member
 * knows by its cursor how many of the cohort's frames it has had, so those that are served later in a pass get what has
 * come meanwhile, and one that joins gets what comes after it. Beside the frames stands what the statistics want of each.
 */
export class Batch {
  bytes: Buffer = NOTHING;
  /** Bytes gathered. */
  length = 0;
  /** Frames gathered. */
  messages = 0;
  /** Frames of the cohort before the first of these. */
  base = 0;
  /** True once a socket may still hold the bytes: they must not be used again. */
  held = false;
  /** Data type slot and due time (µs since the epoch) of frame i, and where it ends. Longer than `messages` where more were. */
  readonly slots: number[] = [];
  readonly dues: number[] = [];
  readonly ends: number[] = [];
  /** Of the frames, those that carry no publication. */
  #others = 0;

  /** Begins to gather. @param bytes taken from the buffers that the other methods are given */
  open(bytes: Buffer, base: number): void {
    this.bytes = bytes;
    this.base = base;
  }

  /** Lets go of everything; it may be opened again. */
  close(buffers: BatchBuffers): void {
    if (!this.held) buffers.giveBack(this.bytes);
    this.bytes = NOTHING;
    this.held = false;
    this.length = 0;
    this.messages = 0;
    this.#others = 0;
  }

  /** Copies the record's frame to the end, into a larger buffer where this one is full. */
  append(record: RecordCursor, buffers: BatchBuffers): void {
    const end = this.length + record.frameEnd - record.frameStart;
    if (end > this.bytes.length) this.#grow(end, buffers);
    record.bytes.copy(this.bytes, this.length, record.frameStart, record.frameEnd);
    this.#added(record.slot, record.dueUs, end);
  }

  /** Copies a message that is no publication to the end. */
  appendMessage(message: Buffer, buffers: BatchBuffers): void {
    const end = this.length + message.length;
    if (end > this.bytes.length) this.#grow(end, buffers);
    message.copy(this.bytes, this.length);
    this.#added(NO_SLOT, 0, end);
    this.#others++;
  }

  /** Where frame `index` begins; for `messages`, where the last one ends. */
  startOf(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] as number);
  }

  /** Publications among the frames from `index` on. */
  publicationsFrom(index: number): number {
    const frames = this.messages - index;
    if (this.#others === 0) return frames;
    let others = 0;
    for (let i = index; i < this.messages; i++) if (this.slots[i] === NO_SLOT) others++;
    return frames - others;
  }

  /** Every member has had the first `count` frames: lets go of them. */
  drop(count: number, buffers: BatchBuffers): void {
    const from = this.startOf(count);
    const rest = this.length - from;
    if (this.held) this.#moveTo(buffers.take(rest), from);
    else this.bytes.copyWithin(0, from, this.length);
    for (let i = 0; i < count; i++) if (this.slots[i] === NO_SLOT) this.#others--;
    const left = this.messages - count;
    for (let i = 0; i < left; i++) {
      this.slots[i] = this.slots[i + count] as number;
      this.dues[i] = this.dues[i + count] as number;
      this.ends[i] = (this.ends[i + count] as number) - from;
    }
    this.base += count;
    this.messages = left;
    this.length = rest;
  }

  #added(slot: number, dueUs: number, end: number): void {
    const { messages } = this;
    this.slots[messages] = slot;
    this.dues[messages] = dueUs;
    this.ends[messages] = end;
    this.length = end;
    this.messages = messages + 1;
  }

  #grow(bytes: number, buffers: BatchBuffers): void {
    const before = this.bytes;
    const { held } = this;
    this.#moveTo(buffers.take(bytes), 0);
    if (!held) buffers.giveBack(before);
  }

  /** Copies what stands from `from` on to the beginning of another buffer, which no socket holds. */
  #moveTo(buffer: Buffer, from: number): void {
    this.bytes.copy(buffer, 0, from, this.length);
    this.bytes = buffer;
    this.held = false;
  }
}

const NOTHING = Buffer.alloc(0);

import type { Batch } from '../batch/batch.ts';
import type { BatchBuffers } from '../batch/batch-buffers.ts';
import type { PooledConnection } from '../connection/pooled-connection.ts';
import { frameHeaderBytes, frameHeaderLength, TEXT, writeFrameHeader } from '../frame/frame-header.ts';
import type { Cohort } from '../subscription/cohort.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { SyncDeflate } from './sync-deflate.ts';

/** First byte of a text frame that is whole, and the bit that says that it is compressed: RFC 7692 §6. */
const WHOLE_TEXT = 0x80 | TEXT;
const COMPRESSED = 0x40;
/** The shortest header; compressed frames of market data mostly have it. */
const SHORT_HEADER = 2;
const LONGEST_HEADER = 10;

export interface StreamParts {
  level: number;
  /** A frame whose payload has fewer bytes stays as it is. */
  frameBytesMin: number;
  statistics: StatisticsBlock;
}

/**
 * A deflate stream for members of one cohort. It runs beside the cohort's batch: frame i of the one is frame i of the
 * other, and to `ends` and `bytes` of a batch these here are the same with the frames compressed. What a member gets has
 * to be all that went through the stream since a reset, so whoever misses a frame of it, or gets it otherwise, leaves.
 */
export class CohortStream {
  readonly cohort: Cohort;
  readonly windowBits: number;
  /** Connections that follow it, by their `stream`. */
  members = 0;
  /** The frames of the cohort's batch that have gone through, and where each ends. */
  bytes: Buffer;
  readonly ends: number[] = [];
  length = 0;
  frames = 0;
  /** True while the shard is too busy to compress: frames pass through as they are, for all who follow. */
  isPlain = false;
  /** True once a socket may still hold the bytes, as in a batch. */
  held = false;
  /** When it last compressed something, ms of `performance.now()`. */
  usedAtMs: number;
  readonly #parts: StreamParts;
  readonly #deflate: SyncDeflate;

  constructor(parts: StreamParts, cohort: Cohort, windowBits: number, nowMs: number) {
    this.#parts = parts;
    this.cohort = cohort;
    this.windowBits = windowBits;
    this.usedAtMs = nowMs;
    this.#deflate = new SyncDeflate(parts.level, windowBits);
    this.bytes = NOTHING;
  }

  /** From here on nothing refers to what was before: a member that follows it from the next frame on can inflate it. */
  reset(): void {
    this.#deflate.reset();
    this.#parts.statistics.add('compressionResets');
  }

  /** From the next frame on the member gets what goes through here. Only right after a reset. */
  join(member: PooledConnection): void {
    member.stream = this;
    this.members++;
  }

  /** The member has missed something, or goes: it gets plain frames, until it joins again. */
  leave(member: PooledConnection): void {
    member.stream = undefined;
    this.members--;
    this.cohort.hasNewcomers = true;
  }

  /** Takes in what the batch of the cohort holds beyond what has gone through. Call before it is written from. */
  follow({ bytes, ends, messages }: Pick<Batch, 'bytes' | 'ends' | 'messages'>, buffers: BatchBuffers): void {
    let start = this.frames === 0 ? 0 : (ends[this.frames - 1] as number);
    for (let i = this.frames; i < messages; i++) {
      const end = ends[i] as number;
      this.#add(bytes, start, end, buffers);
      this.ends[i] = this.length;
      start = end;
    }
    this.frames = messages;
  }

  /** Nobody follows it yet: passes over what the batch holds. */
  skip({ messages }: Pick<Batch, 'messages'>): void {
    for (let i = this.frames; i < messages; i++) this.ends[i] = this.length;
    this.frames = messages;
  }

  /** The batch has let go of its first `count` frames, which every member has had. */
  drop(count: number, buffers: BatchBuffers): void {
    if (count >= this.frames) return this.finish(buffers);
    const from = this.startOf(count);
    if (this.held) {
      const rest = buffers.take(this.length - from);
      this.bytes.copy(rest, 0, from, this.length);
      this.bytes = rest;
      this.held = false;
    } else {
      this.bytes.copyWithin(0, from, this.length);
    }
    this.length -= from;
    this.frames -= count;
    for (let i = 0; i < this.frames; i++) this.ends[i] = (this.ends[i + count] as number) - from;
  }

  /** Where frame `index` begins, as in a batch. */
  startOf(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] as number);
  }

  /** The batch is done with. */
  finish(buffers: BatchBuffers): void {
    this.#letGo(buffers);
    this.bytes = NOTHING;
    this.held = false;
    this.length = 0;
    this.frames = 0;
  }

  /** Sends everybody away and gives the memory of the context back. Not while the batch is being written. */
  close(): void {
    this.bytes = NOTHING;
    for (const member of this.cohort.members) if (member.stream === this) this.leave(member);
    this.#deflate.close();
  }

  #add(input: Buffer, start: number, end: number, buffers: BatchBuffers): void {
    const { statistics, frameBytesMin } = this.#parts;
    const payloadAt = start + frameHeaderLength(input, start);
    const payloadBytes = end - payloadAt;
    this.#makeRoom(LONGEST_HEADER + SyncDeflate.roomFor(payloadBytes), buffers);
    if (this.isPlain || payloadBytes < frameBytesMin || input[start] !== WHOLE_TEXT) {
      input.copy(this.bytes, this.length, start, end);
      this.length += end - start;
      if (!this.isPlain) statistics.add('framesTooSmallToCompress');
      return;
    }
    let at = this.length + SHORT_HEADER;
    const compressed = this.#deflate.write(input, payloadAt, payloadBytes, this.bytes, at);
    const headerBytes = frameHeaderBytes(compressed);
    if (headerBytes > SHORT_HEADER) {
      const from = at;
      at = this.length + headerBytes;
      this.bytes.copyWithin(at, from, from + compressed);
    }
    writeFrameHeader(this.bytes, at, compressed, TEXT | COMPRESSED);
    statistics.add('framesCompressed');
    statistics.add('compressionBytesIn', end - start);
    statistics.add('compressionBytesOut', headerBytes + compressed);
    this.length = at + compressed;
  }

  #makeRoom(bytes: number, buffers: BatchBuffers): void {
    const needed = this.length + bytes;
    if (needed <= this.bytes.length) return;
    const larger = buffers.take(needed);
    this.bytes.copy(larger, 0, 0, this.length);
    this.#letGo(buffers);
    this.bytes = larger;
    this.held = false;
  }

  #letGo(buffers: BatchBuffers): void {
    if (this.bytes !== NOTHING && !this.held) buffers.giveBack(this.bytes);
  }
}

const NOTHING = Buffer.alloc(0);

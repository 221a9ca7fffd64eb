import type { Batch } from '../batch/batch.ts';
import type { BatchBuffers } from '../batch/batch-buffers.ts';
import type { Config } from '../config/schema.ts';
import type { Cohort } from '../subscription/cohort.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import type { ErrorCode } from '../util/errors.ts';
import { CohortStream, type StreamParts } from './cohort-stream.ts';
import { DeflateNegotiation } from './negotiation.ts';
import { SyncDeflate, WINDOW_BITS_MAX } from './sync-deflate.ts';

export interface CompressionParts {
  options: Config['compression'];
  statistics: StatisticsBlock;
}

/** A stream that has had nothing to compress for so long is closed, ms: another cohort may need its place. */
const IDLE_MS = 60_000;

/**
 * permessage-deflate whose cost does not grow with the audience. Runs on a shard's thread, beside the batch stage. In: the
 * batches of cohorts. Out: the same frames compressed, once for all members that can inflate them. A member begins to
 * follow a stream where the stream is reset; until then it gets plain frames, which leave its window as it is.
 */
export class Compression {
  readonly negotiation: DeflateNegotiation;
  readonly #options: Config['compression'];
  readonly #statistics: StatisticsBlock;
  readonly #streamParts: StreamParts;
  readonly #open = new Set<CohortStream>();
  /** Of the cohort at hand, by window bits: members that could follow a stream, and those of them that follow none. */
  readonly #able = new Uint32Array(WINDOW_BITS_MAX + 1);
  readonly #waiting = new Uint32Array(WINDOW_BITS_MAX + 1);

  constructor({ options, statistics }: CompressionParts) {
    this.negotiation = new DeflateNegotiation(options.windowBits);
    this.#options = options;
    this.#statistics = statistics;
    this.#streamParts = { level: options.level, frameBytesMin: options.minFrameBytes, statistics };
  }

  /** Undefined where it is off, or where this Node cannot do it, which is logged. */
  static create(parts: CompressionParts, log: Logger): Compression | undefined {
    if (parts.options.mode === 'off') return undefined;
    const problem = SyncDeflate.selfTest();
    if (problem === undefined) return new Compression(parts);
    log.error(
      { err: problem, code: COMPRESSION_UNAVAILABLE },
      'WebSocket compression is not possible: all goes out plain',
    );
    return undefined;
  }

  /**
   * Call before the batch is written to members: lets newcomers in where it is time, and has the streams of the cohort take
   * the batch in. Those that do not `run` afterwards leave it to be written plain, to everybody.
   * @param nowMs of `performance.now()`
   */
  prepare(cohort: Cohort, batch: Batch, buffers: BatchBuffers, nowMs: number): void {
    if (cohort.deflating === 0) return;
    const { streams } = cohort;
    if (this.#statistics.get('loopUtilization') > this.#options.maxUtilization) {
      return this.#statistics.add('compressionSkippedBusy');
    }
    if (cohort.hasNewcomers && (nowMs >= cohort.admitAtMs || hasEmpty(streams))) this.#admit(cohort, batch, nowMs);
    for (const stream of streams) {
      if (stream.members === 0) continue;
      stream.usedAtMs = nowMs;
      stream.follow(batch, buffers);
    }
    if (streams.length > 0) return;
    this.#statistics.add(
      cohort.deflating < this.#options.minMembers ? 'compressionSkippedSmall' : 'compressionSkippedNoStream',
    );
  }

  /** Call once a second: closes streams that do not pay any more, and tells how things stand. */
  sweep(nowMs: number): void {
    let members = 0;
    for (const stream of this.#open) {
      // Half of what opens one, so that a member that comes and goes does not open and close it.
      if (stream.members < this.#options.minMembers / 2 || nowMs - stream.usedAtMs > IDLE_MS) this.#close(stream);
      else members += stream.members;
    }
    this.#statistics.set('compressionStreams', this.#open.size);
    this.#statistics.set('connectionsCompressed', members);
  }

  /** Has newcomers follow the stream of their window, from the first frame of the batch on. */
  #admit(cohort: Cohort, batch: Batch, nowMs: number): void {
    cohort.hasNewcomers = false;
    if (cohort.deflating < this.#options.minMembers) return;
    this.#countMembers(cohort);
    for (let bits = 1; bits <= WINDOW_BITS_MAX; bits++) {
      if (this.#waiting[bits] === 0) continue;
      const stream = this.#streamFor(cohort, bits, nowMs);
      if (stream === undefined) continue;
      stream.reset();
      cohort.admitAtMs = nowMs + this.#options.resetMs;
      for (const member of cohort.members) {
        if (member.windowBits !== bits || member.stream !== undefined || member.state !== 'open') continue;
        if (batch.shareOf(member).messages === 0) stream.join(member);
        else cohort.hasNewcomers = true;
      }
    }
  }

  #countMembers({ members }: Cohort): void {
    this.#able.fill(0);
    this.#waiting.fill(0);
    for (const { windowBits, stream } of members) {
      this.#able[windowBits]!++;
      if (stream === undefined) this.#waiting[windowBits]!++;
    }
  }

  /** The stream of the cohort with this window; undefined where there is none, and none may be opened. */
  #streamFor(cohort: Cohort, bits: number, nowMs: number): CohortStream | undefined {
    const found = cohort.streams.find(({ windowBits }) => windowBits === bits);
    if (found !== undefined) return found;
    if (this.#able[bits]! < this.#options.minMembers) return undefined;
    if (this.#open.size >= this.#options.maxStreams) {
      // Asked again later: another may have been closed.
      cohort.hasNewcomers = true;
      cohort.admitAtMs = nowMs + this.#options.resetMs;
      return undefined;
    }
    const stream = new CohortStream(this.#streamParts, cohort, bits, nowMs);
    cohort.streams.push(stream);
    this.#open.add(stream);
    return stream;
  }

  #close(stream: CohortStream): void {
    const { streams } = stream.cohort;
    streams.splice(streams.indexOf(stream), 1);
    this.#open.delete(stream);
    stream.close();
  }
}

const COMPRESSION_UNAVAILABLE: ErrorCode = 'COMPRESSION_UNAVAILABLE';

function hasEmpty(streams: readonly CohortStream[]): boolean {
  for (const { members } of streams) if (members === 0) return true;
  return false;
}

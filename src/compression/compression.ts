import type { Batch } from '../batch/batch.ts';
import type { BatchBuffers } from '../batch/batch-buffers.ts';
import type { Config } from '../config/schema.ts';
import type { PooledConnection } from '../connection/pooled-connection.ts';
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

/** Writes to one member what it has not had. */
type Settle = (member: PooledConnection) => void;

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
   * Call before the members of a cohort are written to: lets newcomers in where it is time.
   * @param settle writes to one member what the batch holds and it has not had
   * @param nowMs of `performance.now()`
   */
  prepare(cohort: Cohort, batch: Batch, buffers: BatchBuffers, nowMs: number, settle: Settle): void {
    if (cohort.deflating === 0) return;
    const { streams } = cohort;
    const isBusy = this.#statistics.get('loopUtilization') > this.#options.maxUtilization;
    for (const stream of streams) {
      stream.isPlain = isBusy;
      if (stream.members > 0) stream.usedAtMs = nowMs;
    }
    if (isBusy) return this.#statistics.add('compressionSkippedBusy');
    if (cohort.hasNewcomers && (nowMs >= cohort.admitAtMs || hasEmpty(streams))) {
      this.#admit(cohort, batch, buffers, nowMs, settle);
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

  /** Has newcomers follow the stream of their window, from the next frame of the batch on. */
  #admit(cohort: Cohort, batch: Batch, buffers: BatchBuffers, nowMs: number, settle: Settle): void {
    cohort.hasNewcomers = false;
    if (cohort.deflating < this.#options.minMembers) return;
    this.#countMembers(cohort);
    for (let bits = 1; bits <= WINDOW_BITS_MAX; bits++) {
      if (this.#waiting[bits] === 0) continue;
      const stream = this.#streamFor(cohort, bits, nowMs);
      if (stream === undefined) continue;
      cohort.admitAtMs = nowMs + this.#options.resetMs;
      const waiting = cohort.members.filter(
        (member) => member.windowBits === bits && member.stream === undefined && member.state === 'open',
      );
      if (!joinAtBegin(stream, batch, waiting)) joinAtEnd(stream, batch, buffers, waiting, settle);
      if (waiting.some((member) => member.stream === undefined)) cohort.hasNewcomers = true;
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

/** Lets in those who have had nothing of the batch, as long as nothing of it has gone through: all of it is theirs. */
function joinAtBegin(stream: CohortStream, { base }: Batch, waiting: readonly PooledConnection[]): boolean {
  const joining = stream.frames > 0 ? [] : waiting.filter(({ cursor }) => cursor === base);
  if (joining.length === 0) return false;
  stream.reset();
  for (const member of joining) stream.join(member);
  return true;
}

/** Lets all in behind what the batch holds, which they get plain. */
function joinAtEnd(
  stream: CohortStream,
  batch: Batch,
  buffers: BatchBuffers,
  waiting: readonly PooledConnection[],
  settle: Settle,
): void {
  const { cohort } = stream;
  if (stream.members === 0) stream.skip(batch);
  else stream.follow(batch, buffers);
  stream.reset();
  for (const member of waiting) {
    if (member.cursor < cohort.appended) settle(member);
    // With this write it may have fallen behind.
    if (member.cohort === cohort && member.backlog === undefined) stream.join(member);
  }
}

function hasEmpty(streams: readonly CohortStream[]): boolean {
  for (const { members } of streams) if (members === 0) return true;
  return false;
}

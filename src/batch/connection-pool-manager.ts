import type { Compression } from '../compression/compression.ts';
import type { PooledConnection } from '../connection/pooled-connection.ts';
import type { RecordCursor } from '../ring/receiver.ts';
import type { Cohort } from '../subscription/cohort.ts';
import type { CohortWatcher } from '../subscription/subscription-manager.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { nowUs } from '../util/clock.ts';
import { Batch, NO_SLOT, type Share } from './batch.ts';
import { BatchBuffers } from './batch-buffers.ts';
import type { FlushPolicy } from './flush-policy.ts';

export interface PoolParts {
  statistics: StatisticsBlock;
  policy: FlushPolicy;
  /** A batch of this many bytes is flushed without waiting. */
  batchBytesMax: number;
  /** A connection whose socket holds more than this after a write has fallen behind, bytes. */
  highWaterBytes: number;
  /** It has, and is to leave the `members` of its cohort. */
  fellBehind: (connection: PooledConnection) => void;
  /** Undefined: everything goes out plain. */
  compression?: Pick<Compression, 'prepare'> | undefined;
  /** A record that connections behind want. */
  behind: (connections: readonly PooledConnection[], record: RecordCursor) => void;
}

/** The frames of a batch back to back, plain or compressed. */
type Run = Pick<Batch, 'bytes' | 'length' | 'held' | 'recipients' | 'whole' | 'exact'>;

const POOLED_BYTES_MAX = 32 * 1024 * 1024;

/**
 * Stage 7. The batching pool. Runs on a shard's thread. In: records from the ring, with the cohorts that want them. Out:
 * one write for each connection and pass, however many frames it carries. A frame is copied once for each cohort.
 */
export class ConnectionPoolManager implements CohortWatcher {
  readonly #parts: PoolParts;
  readonly #buffers = new BatchBuffers(POOLED_BYTES_MAX);
  /** Cohorts with a batch, oldest batch first. */
  readonly #gathering = new Set<Cohort>();

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  /** When the oldest batch was opened, ms of `performance.now()`; undefined: nothing is gathered. */
  get openedAtMs(): number | undefined {
    for (const cohort of this.#gathering) return cohort.batch!.openedAtMs;
    return undefined;
  }

  /** Puts the record's frame into the batch of each cohort. A batch that is full goes out at once. */
  append(cohorts: readonly Cohort[], record: RecordCursor): void {
    const { behind } = this.#parts;
    for (let i = 0; i < cohorts.length; i++) {
      const cohort = cohorts[i]!;
      if (cohort.behind.length > 0) behind(cohort.behind, record);
      this.appendLive(cohort, record);
    }
  }

  /** As `append`, for one cohort, and those of it that keep up. */
  appendLive(cohort: Cohort, record: RecordCursor): void {
    if (cohort.members.length === 0) return;
    const batch = cohort.batch ?? this.#open(cohort);
    batch.append(record, this.#buffers);
    if (this.#isFull(batch)) this.#flushOne(cohort);
  }

  /** Puts a message that is no publication into the batch of a cohort, for those that keep up: at the time of the call. */
  appendMessage(cohort: Cohort, message: Buffer): void {
    if (cohort.members.length === 0) return;
    const batch = cohort.batch ?? this.#open(cohort);
    batch.appendMessage(message, this.#buffers);
    if (this.#isFull(batch)) this.#flushOne(cohort);
  }

  /** Writes out the batches that are due at `nowMs` (of `performance.now()`), or all of them. */
  flush(everything: boolean, nowMs: number): void {
    const { policy } = this.#parts;
    for (const cohort of this.#gathering) {
      if (!everything && policy.delayMs(cohort.batch!.openedAtMs, nowMs) > 0) return;
      this.#flushOne(cohort);
    }
  }

  /** Gives up the memory that is kept for later batches; returns how many bytes that was. */
  trim(): number {
    return this.#buffers.trim();
  }

  joined(cohort: Cohort, member: PooledConnection): void {
    cohort.batch?.addJoiner(member);
  }

  leaving(cohort: Cohort, member: PooledConnection): void {
    const batch = cohort.batch;
    if (batch === undefined || member.state !== 'open' || member.backlog !== undefined) return;
    this.#deliverPart(batch, member, batch.shareOf(member));
  }

  /** Writes out what has been gathered for this one connection, which stays where it is. */
  settle(member: PooledConnection): void {
    const { cohort } = member;
    if (cohort === undefined) return;
    this.leaving(cohort, member);
    if (member.cohort === cohort) cohort.batch?.addJoiner(member);
  }

  #open(cohort: Cohort): Batch {
    const batch = new Batch(this.#buffers.take(0));
    batch.openedAtMs = performance.now();
    cohort.batch = batch;
    this.#gathering.add(cohort);
    return batch;
  }

  #isFull({ messages, length }: Batch): boolean {
    const { policy, batchBytesMax } = this.#parts;
    return messages >= policy.messagesMax || length >= batchBytesMax;
  }

  #flushOne(cohort: Cohort): void {
    const batch = cohort.batch!;
    cohort.batch = undefined;
    this.#gathering.delete(cohort);
    const { compression } = this.#parts;
    compression?.prepare(cohort, batch, this.#buffers, performance.now());
    const { members, streams } = cohort;
    // Downwards: a member that is closed on the way leaves its place to the last one, which has been served already.
    for (let i = members.length - 1; i >= 0; i--) {
      const member = members[i]!;
      if (member.state !== 'open') continue;
      const share = batch.shareOf(member);
      const { stream } = member;
      if (share.messages > 0) this.#deliverPart(batch, member, share);
      else this.#deliverWhole(stream === undefined || !stream.runs ? batch : stream, member, batch.data);
    }
    this.#parts.statistics.add('flushes');
    this.#count(batch, batch.ends, 0, batch.recipients);
    if (!batch.held) this.#buffers.giveBack(batch.bytes);
    for (const stream of streams) {
      this.#count(batch, stream.ends, 0, stream.recipients);
      stream.finish(this.#buffers);
    }
  }

  /** @param publications in the run */
  #deliverWhole(run: Run, member: PooledConnection, publications: number): void {
    run.recipients++;
    run.whole ??= run.bytes.subarray(0, run.length);
    // A socket that is behind keeps its bytes for a while: then only these, not the larger buffer they stand in.
    if (member.socket.writableLength > 0) {
      run.exact ??= exactBytes(run.whole, run.bytes.length);
      this.#write(run, member, run.exact, publications);
    } else {
      this.#write(run, member, run.whole, publications);
    }
  }

  /** Delivers what the batch holds from the member's share on. */
  #deliverPart(batch: Batch, member: PooledConnection, share: Share): void {
    const messages = batch.messages - share.messages;
    if (messages === 0) return;
    this.#write(batch, member, batch.bytes.subarray(share.offset, batch.length), batch.data - share.data);
    this.#count(batch, batch.ends, share.messages, 1);
    // It has them otherwise than the others of its stream.
    member.stream?.leave(member);
  }

  /** @param publications in these bytes */
  #write(run: Run, member: PooledConnection, bytes: Buffer, publications: number): void {
    const { socket } = member;
    socket.write(bytes);
    member.messagesSent += publications;
    member.bytesSent += bytes.length;
    const pendingBytes = socket.writableLength;
    if (pendingBytes === 0) return;
    run.held = true;
    const { highWaterBytes, fellBehind } = this.#parts;
    if (pendingBytes > highWaterBytes) fellBehind(member);
  }

  /**
   * Counts the frames from `first` on as delivered to each of the recipients. Latency runs to now, when the last of them
   * has been written, so what the statistics say is an upper bound for the others.
   * @param ends where each frame ends in what they were sent
   */
  #count(batch: Batch, ends: readonly number[], first: number, recipients: number): void {
    if (recipients === 0) return;
    const { statistics } = this.#parts;
    const now = nowUs();
    let bytes = 0;
    let publications = 0;
    for (let i = first; i < batch.messages; i++) {
      const slot = batch.slots[i] as number;
      if (slot === NO_SLOT) continue;
      publications++;
      const frameBytes = (ends[i] as number) - (i === 0 ? 0 : (ends[i - 1] as number));
      const latencyUs = Math.max(0, now - (batch.dues[i] as number));
      statistics.addDeliveries(slot, recipients, frameBytes, latencyUs);
      bytes += frameBytes;
    }
    statistics.add('messagesForwarded', publications * recipients);
    statistics.add('bytesForwarded', bytes * recipients);
    statistics.add('socketWrites', recipients);
    statistics.set('lastActivityMs', Date.now());
  }
}

/** The same bytes in a buffer of their own, where the one they stand in is more than twice as large. */
function exactBytes(whole: Buffer, bufferBytes: number): Buffer {
  if (bufferBytes <= 2 * whole.length) return whole;
  const exact = Buffer.allocUnsafeSlow(whole.length);
  whole.copy(exact);
  return exact;
}

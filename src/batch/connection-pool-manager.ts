import type { Compression } from '../compression/compression.ts';
import type { PooledConnection } from '../connection/pooled-connection.ts';
import type { RecordCursor } from '../ring/receiver.ts';
import type { Cohort } from '../subscription/cohort.ts';
import type { CohortWatcher } from '../subscription/subscription-manager.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { Batch, NO_SLOT } from './batch.ts';
import { BatchBuffers } from './batch-buffers.ts';
import { BatchWriter } from './batch-writer.ts';
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

/** Called now and then while batches are written; may append to them. False: the pass is to go on later. */
export type FlushPause = () => boolean;

const POOLED_BYTES_MAX = 32 * 1024 * 1024;
const POOLED_BATCHES_MAX = 4_096;
/** Writes between two pauses: some 0.3 ms. */
const WRITES_PER_PAUSE = 64;
/** Of a cohort's members, by so many the next turn begins further on: turns that follow begin far from each other. */
const TURN_PART = 0.382;

/**
 * Stage 7. The batching pool. Runs on a shard's thread. In: records from the ring, with the cohorts that want them. Out:
 * one write for each connection and pass, however many frames it carries. A frame is copied once for each cohort.
 *
 * A pass serves the cohorts that have waited since before it began, member by member. It may pause, and go on after others
 * have had their turn: who has been served is known by the members' cursors, whoever comes or goes meanwhile.
 */
export class ConnectionPoolManager implements CohortWatcher {
  readonly #parts: PoolParts;
  readonly #buffers = new BatchBuffers(POOLED_BYTES_MAX);
  readonly #writer: BatchWriter;
  /** Batches without frames, for later use. */
  readonly #spare: Batch[] = [];
  /** By class, cohorts that something waits for, the longest first. */
  readonly #queues: readonly Set<Cohort>[];
  /** Number of the pass that is under way, or was last. */
  #pass = 0;
  #isPassing = false;
  /** Classes that it has served, class n by bit n. */
  #served = 0;
  /** The cohort whose turn it is, its frames when that began, and its removals. */
  #serving: Cohort | undefined;
  #mark = 0;
  #removals = 0;
  /** Its next member; from `#first` down to 0, then from the last down to the one behind `#first`. */
  #at = -1;
  #first = -1;
  #isSecondHalf = false;
  #writesUntilPause = WRITES_PER_PAUSE;
  #isInPause = false;

  constructor(parts: PoolParts) {
    this.#parts = parts;
    this.#writer = new BatchWriter(parts, this.#buffers);
    this.#queues = Array.from({ length: parts.policy.classes }, () => new Set<Cohort>());
  }

  /** Whether a pass has paused and is to go on. */
  get isPassing(): boolean {
    return this.#isPassing;
  }

  /** Classes that the last pass wrote batches of, class n by bit n. */
  get served(): number {
    return this.#served;
  }

  /** ms from `nowMs` until the next batch is due, 0 or less: now; undefined: nothing is gathered. */
  dueInMs(nowMs: number): number | undefined {
    let dueMs: number | undefined;
    for (let flushClass = 0; flushClass < this.#queues.length; flushClass++) {
      for (const cohort of this.#queues[flushClass]!) {
        const delayMs = this.#parts.policy.delayMs(flushClass, cohort.queuedAtMs, nowMs);
        dueMs = dueMs === undefined ? delayMs : Math.min(dueMs, delayMs);
        break;
      }
    }
    return dueMs;
  }

  /** Puts the record's frame into the batch of each cohort. A batch that is full goes out at once, but in a pause. */
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
    this.#appended(cohort, batch, record.slot);
  }

  /** Puts a message that is no publication into the batch of a cohort, for those that keep up: at the time of the call. */
  appendMessage(cohort: Cohort, message: Buffer): void {
    if (cohort.members.length === 0) return;
    const batch = cohort.batch ?? this.#open(cohort);
    batch.appendMessage(message, this.#buffers);
    this.#appended(cohort, batch, NO_SLOT);
  }

  /**
   * Goes on with the pass that is under way, or begins one: writes out the batches that are due at `nowMs` (of
   * `performance.now()`). Returns whether the pass is over; false only where the pause says so.
   */
  flush(nowMs: number, pause?: FlushPause): boolean {
    return this.#runPass(false, nowMs, pause);
  }

  /** Writes out everything that has been gathered. */
  flushAll(): void {
    const nowMs = performance.now();
    if (this.#isPassing) this.#runPass(true, nowMs);
    this.#runPass(true, nowMs);
  }

  /** Call once a second: gives up memory that a peak has left. */
  ease(): void {
    this.#buffers.ease();
  }

  /** Gives up the memory that is kept for later batches; returns how many bytes that was. */
  trim(): number {
    this.#spare.length = 0;
    return this.#buffers.trim();
  }

  leaving(cohort: Cohort, member: PooledConnection): void {
    const { batch } = cohort;
    if (batch === undefined || member.state !== 'open' || member.backlog !== undefined) return;
    if (member.cursor === cohort.appended) return;
    this.#writer.write(batch, member);
    this.#writer.endRuns();
  }

  /** Writes out what has been gathered for this one connection, which stays where it is. */
  settle(member: PooledConnection): void {
    if (member.cohort !== undefined) this.leaving(member.cohort, member);
  }

  #open(cohort: Cohort): Batch {
    const batch = this.#spare.pop() ?? new Batch();
    batch.open(this.#buffers.take(0), cohort.appended);
    cohort.batch = batch;
    return batch;
  }

  #appended(cohort: Cohort, batch: Batch, slot: number): void {
    const { policy, batchBytesMax } = this.#parts;
    cohort.appended++;
    const queue = this.#queues[policy.classOf(slot)]!;
    if (cohort.queue === undefined) this.#enqueue(cohort, queue);
    else if (cohort.queue !== queue) this.#hasten(cohort, queue);
    const isFull = batch.messages >= policy.messagesMax || batch.length >= batchBytesMax;
    // In a pause the writer is in the middle of something; then the batch is full for as long as the ring is read.
    if (isFull && !this.#isInPause) this.#flushNow(cohort);
  }

  #enqueue(cohort: Cohort, queue: Set<Cohort>): void {
    cohort.queue = queue;
    cohort.queuedAtMs = performance.now();
    cohort.queuedInPass = this.#pass;
    queue.add(cohort);
  }

  /** A frame has come that may wait for less than those before it, or longer. */
  #hasten(cohort: Cohort, queue: Set<Cohort>): void {
    if (this.#queues.indexOf(queue) > this.#queues.indexOf(cohort.queue!)) return;
    cohort.queue!.delete(cohort);
    this.#enqueue(cohort, queue);
  }

  #runPass(everything: boolean, nowMs: number, pause?: FlushPause): boolean {
    if (!this.#isPassing) {
      this.#pass++;
      this.#isPassing = true;
      this.#served = 0;
    }
    if (this.#serving !== undefined && !this.#serve(this.#serving, pause)) return false;
    const { policy, statistics } = this.#parts;
    for (let flushClass = 0; flushClass < this.#queues.length; flushClass++) {
      for (const cohort of this.#queues[flushClass]!) {
        if (cohort.queuedInPass === this.#pass) break;
        if (!everything && policy.delayMs(flushClass, cohort.queuedAtMs, nowMs) > 0) break;
        this.#served |= 1 << flushClass;
        this.#begin(cohort);
        if (!this.#serve(cohort, pause)) return false;
      }
    }
    this.#isPassing = false;
    if (this.#served !== 0) statistics.set('lastActivityMs', Date.now());
    return true;
  }

  #begin(cohort: Cohort): void {
    cohort.queue!.delete(cohort);
    cohort.queue = undefined;
    this.#serving = cohort;
    this.#prepare(cohort);
    this.#mark = cohort.appended;
    this.#removals = cohort.removals;
    this.#first = Math.min(cohort.first, cohort.members.length - 1);
    this.#at = this.#first;
    this.#isSecondHalf = false;
  }

  #prepare(cohort: Cohort): void {
    const { compression } = this.#parts;
    if (compression === undefined || cohort.batch === undefined) return;
    compression.prepare(cohort, cohort.batch, this.#buffers, performance.now(), this.#settle);
    this.#writer.endRuns();
  }

  readonly #settle = (member: PooledConnection): void => {
    this.#writer.write(member.cohort!.batch!, member);
  };

  /** Returns whether all members have been served. */
  #serve(cohort: Cohort, pause: FlushPause | undefined): boolean {
    const { members } = cohort;
    const writer = this.#writer;
    for (;;) {
      if (this.#at < 0 && !this.#isSecondHalf) {
        this.#isSecondHalf = true;
        this.#at = members.length - 1;
      }
      if (this.#isSecondHalf && this.#at <= this.#first) break;
      const member = members[this.#at--];
      if (member === undefined || member.state !== 'open' || member.cursor === cohort.appended) continue;
      writer.write(cohort.batch!, member);
      if (--this.#writesUntilPause > 0) continue;
      this.#writesUntilPause = WRITES_PER_PAUSE;
      if (pause !== undefined && !this.#pause(pause)) return false;
    }
    this.#finish(cohort);
    return true;
  }

  #pause(pause: FlushPause): boolean {
    this.#writer.endRuns();
    this.#isInPause = true;
    try {
      return pause();
    } finally {
      this.#isInPause = false;
    }
  }

  /** Every member has had all frames up to the mark: they are let go of. */
  #finish(cohort: Cohort): void {
    this.#serving = undefined;
    // Some may have been put where somebody left, and so were passed over.
    if (cohort.removals !== this.#removals) this.#writeAll(cohort, this.#mark);
    this.#writer.endRuns();
    this.#parts.statistics.add('flushes');
    const { batch } = cohort;
    if (batch === undefined) return;
    const done = this.#mark - batch.base;
    if (done >= batch.messages) this.#close(cohort, batch);
    else if (done > 0) this.#drop(cohort, batch, done);
  }

  #drop({ streams }: Cohort, batch: Batch, count: number): void {
    batch.drop(count, this.#buffers);
    for (const stream of streams) stream.drop(count, this.#buffers);
  }

  /** Writes to those who have had fewer of the cohort's frames than `until`. */
  #writeAll({ members, batch }: Cohort, until: number): void {
    // Downwards: who falls behind on the way leaves its place to the last one, which has been written to already.
    for (let i = members.length - 1; i >= 0; i--) {
      const member = members[i];
      if (member?.state === 'open' && member.cursor < until) this.#writer.write(batch!, member);
    }
  }

  /** Writes out one cohort's batch between passes. */
  #flushNow(cohort: Cohort): void {
    this.#prepare(cohort);
    this.#writeAll(cohort, cohort.appended);
    this.#writer.endRuns();
    this.#parts.statistics.add('flushes');
    cohort.queue?.delete(cohort);
    cohort.queue = undefined;
    this.#close(cohort, cohort.batch!);
  }

  #close(cohort: Cohort, batch: Batch): void {
    cohort.batch = undefined;
    // As long as something is left the order stays, and with it the time between two writes to a member.
    cohort.first = (cohort.first + 1 + Math.floor(cohort.members.length * TURN_PART)) % (cohort.members.length || 1);
    batch.close(this.#buffers);
    for (const stream of cohort.streams) stream.finish(this.#buffers);
    if (this.#spare.length < POOLED_BATCHES_MAX) this.#spare.push(batch);
  }
}

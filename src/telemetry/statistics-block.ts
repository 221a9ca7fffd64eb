import { assert } from '../util/assert.ts';
import { DROP_REASONS } from './drop-reasons.ts';
import { bucketIndex, HISTOGRAM_BUCKETS, LATENCY_US_MAX } from './histogram.ts';

/**
 * The statistics of one shard, in shared memory. The shard's thread writes, the primary reads: reading asks no shard
 * anything. The block outlives the thread, so counters go on after a restart; gauges are cleared by `resetGauges`.
 *
 * Layout, all of it aligned 8-byte words (a word is written by one thread, and every platform that Node runs on stores
 * an aligned word whole):
 *
 *     scalars     SCALARS words, in the order of the two lists below
 *     closes      CLOSE_SLOTS words, closed connections by row of the close-code table
 *     data types  DATA_TYPE_SLOTS × (deliveries · bytes · latency sum in µs · merged · a word for each of DROP_REASONS ·
 *                 HISTOGRAM_BUCKETS buckets)
 */
export const COUNTERS = [
  'connectionsAccepted', // handshakes completed
  'connectionsRefused', // over a limit, closed 1013 or 1008 before the welcome
  'connectionsClosed',
  'connectionDurationMsSum', // of the closed ones
  'handshakesFailed', // refused requests, time-outs, broken upgrades
  'handshakesRefusedForMemory', // of those, answered 503 under memory pressure
  'forwardingHeadersUnusable', // of trusted proxies, that name no client
  'messagesForwarded', // data deliveries, one for each recipient
  'bytesForwarded', // bytes of those frames
  'socketWrites',
  'flushes',
  'passesAtOnce', // passes of the batch stage, by why the next gathers for as long as it does: see flush-policy.ts
  'passesByLoad',
  'passesByBudget',
  'passesOverrun',
  'passesFixed',
  'framesCompressed', // once for each stream, not for each recipient
  'framesTooSmallToCompress', // left plain in a stream
  'compressionBytesIn', // bytes of the compressed frames before
  'compressionBytesOut', // and after, headers included
  'compressionResets', // times a stream let newcomers in
  'compressionSkippedBusy', // batches that went out plain though clients could inflate: the shard had no time
  'compressionSkippedSmall', // as above: too few such clients
  'compressionSkippedNoStream', // as above: too few with one window, or as many streams as there may be
  'commands', // client messages
  'errors', // what ConnectionStats calls errorsEncountered
  'invalidMessages',
  'unknownMessages',
  'rateLimited',
  'slowConsumersClosed',
  'shedConnections', // closed to get memory back
  'fellBehind', // times a connection left the fast path
  'caughtUp', // times one came back to it
  'snapshotsSent', // frames that restate a latest value
  'gapsSent', // gap messages
  'resumesAccepted',
  'resumesRefused',
  'replayed', // frames sent again to connections that resumed
  'heartbeatTimeouts',
  'recordsRead', // ring records seen
  'recordsMatched', // of those, wanted by at least one cohort
  'matchOperations', // topic resolutions: a topic looked up in the subscription index
  'lapped', // times the writer ran over this shard
  'recordsLost', // records it did not see for that
  'wakes', // wake-up messages received
  'logLinesSuppressed', // lines of the log that were one too many for their second
  'lifetimes', // times this shard's thread has come up
  'primarySilences', // times it found the primary's event loop standing still
] as const;

export const GAUGES = [
  'connectionsOpen',
  'connectedAtMsSum', // sum of the connect times of the open ones, ms since the epoch
  'filtersInForce',
  'channelsInForce',
  'cohorts',
  'compressionStreams', // open ones, at the last sweep
  'connectionsCompressed', // connections that follow one, at the last sweep
  'topicsKnown',
  'pendingBytes', // unsent bytes held for clients, at the last sweep
  'connectionsBehind', // open ones that are off the fast path
  'pendingMessages', // in the pending sets of those
  'lagMsMax', // how far the slowest connection is behind, at the last sweep
  'ringPosition', // of the receiver
  'batchDelayUs', // how long a batch gathers now
  'loopUtilization', // 0..1, over the last second
  'loopDelayP99Us', // over the last second
  'heapUsedBytes',
  'cpuUs', // CPU time of the thread, µs, since it came up
  'heartbeatMs', // when the event loop last turned, ms since the epoch
  'lastActivityMs', // last delivery or command, ms since the epoch
  'threadId', // of node:worker_threads
  'phase', // what the shard does, see shard-phases.ts
  'commandOf', // connection that the last command came from: the number its id ends in
] as const;

export type CounterName = (typeof COUNTERS)[number];
export type GaugeName = (typeof GAUGES)[number];
export type ScalarName = CounterName | GaugeName;

const SCALAR_NAMES: readonly ScalarName[] = [...COUNTERS, ...GAUGES];
const SCALARS = SCALAR_NAMES.length;
export const CLOSE_SLOTS = 32;
/** Room for data types that are counted apart; those of DATA_TYPE_NAMES are in use, the last of them gathers the rest. */
export const DATA_TYPE_SLOTS = 8;
/** Words of a data type, from its first one. */
const MERGED_AT = 3;
const DROPPED_AT = MERGED_AT + 1;
const BUCKETS_AT = DROPPED_AT + DROP_REASONS.length;
const DATA_TYPE_WORDS = BUCKETS_AT + HISTOGRAM_BUCKETS;
const CLOSES_AT = SCALARS;
const DATA_TYPES_AT = CLOSES_AT + CLOSE_SLOTS;
const BLOCK_WORDS = DATA_TYPES_AT + DATA_TYPE_SLOTS * DATA_TYPE_WORDS;

/** Names of the data type slots, in order. */
export const DATA_TYPE_NAMES = ['trade', 'ticker', 'kline', 'depth', 'data', 'other'] as const;
export type DataTypeName = (typeof DATA_TYPE_NAMES)[number];

const slotOfName = new Map<string, number>(DATA_TYPE_NAMES.map((name, slot) => [name, slot]));

/** The slot that a wire type counts in. */
export function dataTypeSlot(wireType: string): number {
  return slotOfName.get(wireType) ?? DATA_TYPE_NAMES.length - 1;
}

const INDEX = Object.fromEntries(SCALAR_NAMES.map((name, index) => [name, index])) as Record<ScalarName, number>;

/** What can be read of a block, also of one that another process keeps; see block-snapshot.ts. */
export type BlockReading = Pick<
  StatisticsBlock,
  'get' | 'closes' | 'deliveries' | 'merged' | 'dropped' | 'latencyBuckets'
>;

export class StatisticsBlock {
  static readonly bytes = BLOCK_WORDS * Float64Array.BYTES_PER_ELEMENT;
  readonly #words: Float64Array;

  /** A view on a block of `StatisticsBlock.bytes` bytes; several threads may hold one on the same memory. */
  constructor(memory: SharedArrayBuffer) {
    assert(memory.byteLength === StatisticsBlock.bytes, 'a statistics block has the size of its layout');
    this.#words = new Float64Array(memory);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(StatisticsBlock.bytes);
  }

  get(name: ScalarName): number {
    return this.#words[INDEX[name]] as number;
  }

  add(name: ScalarName, by = 1): void {
    const index = INDEX[name];
    this.#words[index] = (this.#words[index] as number) + by;
  }

  set(name: GaugeName, value: number): void {
    this.#words[INDEX[name]] = value;
  }

  /** Called by the supervisor when the shard's thread has ended: what was open is not any more. */
  resetGauges(): void {
    for (const name of GAUGES) this.#words[INDEX[name]] = 0;
  }

  addClose(row: number): void {
    const index = CLOSES_AT + Math.min(row, CLOSE_SLOTS - 1);
    this.#words[index] = (this.#words[index] as number) + 1;
  }

  /** Closed connections by row of the close-code table. */
  closes(): Float64Array {
    return this.#words.slice(CLOSES_AT, CLOSES_AT + CLOSE_SLOTS);
  }

  /**
   * Counts `count` deliveries of one frame of `bytes` bytes, each `latencyUs` after it was due. What the clocks cannot
   * mean (a due time ahead of now, or none) counts as 0, and nothing as more than LATENCY_US_MAX: a sum must stay a sum.
   */
  addDeliveries(slot: number, count: number, bytes: number, latencyUs: number): void {
    const words = this.#words;
    const countedUs = latencyUs > 0 ? Math.min(latencyUs, LATENCY_US_MAX) : 0;
    const at = DATA_TYPES_AT + slot * DATA_TYPE_WORDS;
    words[at] = (words[at] as number) + count;
    words[at + 1] = (words[at + 1] as number) + count * bytes;
    words[at + 2] = (words[at + 2] as number) + count * countedUs;
    const bucket = at + BUCKETS_AT + bucketIndex(countedUs);
    words[bucket] = (words[bucket] as number) + count;
  }

  deliveries(slot: number): { count: number; bytes: number; latencySumUs: number } {
    const at = DATA_TYPES_AT + slot * DATA_TYPE_WORDS;
    const words = this.#words;
    return { count: words[at] as number, bytes: words[at + 1] as number, latencySumUs: words[at + 2] as number };
  }

  /** Counts publications that another frame of their topic stands for, once for each recipient. */
  addMerged(slot: number, count: number): void {
    this.#addOfType(slot, MERGED_AT, count);
  }

  merged(slot: number): number {
    return this.#words[DATA_TYPES_AT + slot * DATA_TYPE_WORDS + MERGED_AT] as number;
  }

  /**
   * Counts publications that a recipient was told it will not get, once for each recipient.
   * @param reason index in DROP_REASONS, see `dropReasonIndex`
   */
  addDropped(slot: number, reason: number, count: number): void {
    assert(reason >= 0 && reason < DROP_REASONS.length, 'a drop has one of the reasons');
    this.#addOfType(slot, DROPPED_AT + reason, count);
  }

  /** @param reason index in DROP_REASONS */
  dropped(slot: number, reason: number): number {
    return this.#words[DATA_TYPES_AT + slot * DATA_TYPE_WORDS + DROPPED_AT + reason] as number;
  }

  /** A live view on the latency buckets of a data type. */
  latencyBuckets(slot: number): Float64Array {
    const at = DATA_TYPES_AT + slot * DATA_TYPE_WORDS + BUCKETS_AT;
    return this.#words.subarray(at, at + HISTOGRAM_BUCKETS);
  }

  #addOfType(slot: number, word: number, count: number): void {
    const index = DATA_TYPES_AT + slot * DATA_TYPE_WORDS + word;
    this.#words[index] = (this.#words[index] as number) + count;
  }
}

import { nowUs } from '../../src/util/clock.ts';
import { DIALECTS, type Dialect } from './dialect.ts';
import { EXCERPT_HEAD_BYTES } from './frame-scanner.ts';
import type { LatencyHistogram } from './latency-histogram.ts';
import type { LatencyTimeline } from './latency-timeline.ts';
import { type LoadOptions, subscriptionText } from './load-options.ts';
import { emptyTail, findTimestampUs, keyBytes, readGap, readTail } from './message-scan.ts';
import { RawConnection, type RawConnectionListener } from './raw-connection.ts';

/** Connections from one source address; the kernel has some 28,000 ports for each. */
const CONNECTIONS_PER_ADDRESS = 20_000;
const READ_BYTES = 128 * 1024;
/** Of the connections that offer permessage-deflate, so many inflate what they get, for its latency. */
const INFLATING_MAX = 8;
const TYPE_BYTES = 16;

/** What a group of connections was told of what it did not get one by one, since they opened. */
export interface Told {
  /** Gap messages, and the publications that they spoke of. */
  gaps: number;
  gapPublications: number;
  /** Connections with a gap at all. */
  connectionsWithGap: number;
  /** Of the sampled frames: those that stand for several publications, and those that restate a value. */
  mergedSampled: number;
  snapshotsSampled: number;
}

/** What the connections of one process share. */
export interface LoadShared {
  readonly options: LoadOptions;
  readonly dialect: Dialect;
  readonly timestampKey: Uint8Array;
  /** Every socket reads into the same bytes: they are looked at before the next read, never kept. */
  readonly readBuffer: Uint8Array;
  /** The same for those that read little at a time. */
  readonly slowBuffer: Uint8Array;
  readonly latency: LatencyHistogram;
  readonly timeline: LatencyTimeline | undefined;
  readonly connectTimes: LatencyHistogram;
  /** Of the stalled ones, and of all others. */
  readonly toldStalled: Told;
  readonly told: Told;
  /** Whether samples count now. */
  measuring: boolean;
  reads: number;
  sequenceSamples: number;
  orderErrors: number;
  protocolErrors: number;
  /** Called once a connection, when it is open or can never be. */
  onSettled(connection: LoadConnection): void;
  /** Called once for each that was open, when it no longer is. */
  onClosed(connection: LoadConnection): void;
}

export function createShared(
  options: LoadOptions,
  given: Pick<LoadShared, 'latency' | 'timeline' | 'connectTimes' | 'onSettled' | 'onClosed'>,
): LoadShared {
  return {
    options,
    dialect: DIALECTS[options.dialect],
    timestampKey: keyBytes(options.timestampKey),
    readBuffer: Buffer.allocUnsafeSlow(READ_BYTES),
    slowBuffer: Buffer.allocUnsafeSlow(options.slowBytes),
    toldStalled: nothingTold(),
    told: nothingTold(),
    measuring: false,
    reads: 0,
    sequenceSamples: 0,
    orderErrors: 0,
    protocolErrors: 0,
    ...given,
  };
}

function nothingTold(): Told {
  return { gaps: 0, gapPublications: 0, connectionsWithGap: 0, mergedSampled: 0, snapshotsSampled: 0 };
}

export type LoadConnectionState = 'connecting' | 'open' | 'failed' | 'closed';

/** `slow` ones read a little now and then; `stalled` ones read nothing more once they have subscribed. */
export type Pace = 'steady' | 'slow' | 'stalled';

/** The first connections are the stalled ones, then come the slow ones. */
export function paceOf(options: Pick<LoadOptions, 'stalled' | 'slow'>, index: number): Pace {
  if (index < options.stalled) return 'stalled';
  return index < options.stalled + options.slow ? 'slow' : 'steady';
}

/** One client: connects, subscribes, counts what comes. */
export class LoadConnection implements RawConnectionListener {
  readonly index: number;
  readonly pace: Pace;
  state: LoadConnectionState = 'connecting';
  readonly #shared: LoadShared;
  readonly #told: Told;
  readonly #begunUs = nowUs();
  readonly #raw: RawConnection;
  /** Another thread inflates for it: a plain frame may overtake a compressed one on the way back, so order tells nothing. */
  readonly #inflates: boolean;
  readonly #tail = emptyTail();
  /** `seq` of the last sampled message before `startMeasuring`; -1 before the first. */
  sequenceAtStart = -1;
  #lastSequence = -1;
  #messagesAtStart = 0;
  #bytesAtStart = 0;

  /** @param index over all processes; decides pace, symbols, source address and which messages are sampled */
  constructor(shared: LoadShared, index: number) {
    const { port, path, sampleEvery } = shared.options;
    this.#shared = shared;
    this.index = index;
    this.pace = paceOf(shared.options, index);
    this.#told = this.pace === 'stalled' ? shared.toldStalled : shared.told;
    const addressIndex = Math.floor(index / CONNECTIONS_PER_ADDRESS);
    const readBuffer = this.pace === 'steady' ? shared.readBuffer : shared.slowBuffer;
    const localAddress = addressIndex > 0 ? { localAddress: `127.0.0.${1 + addressIndex}` } : {};
    const { connections, deflating } = shared.options;
    const { dataHead } = shared.dialect;
    const deflates = index >= connections - deflating;
    const inflates = deflates && (connections - index) % Math.ceil(deflating / INFLATING_MAX) === 0;
    this.#inflates = inflates;
    this.#raw = new RawConnection(
      { port, path, deflates, inflates, dataHead, ...localAddress, readBuffer, sampleEvery, phase: index },
      this,
    );
    this.#raw.readsOnDemand = this.pace !== 'steady';
  }

  get closeCode(): number {
    return this.#raw.closeCode;
  }

  get failure(): string {
    return this.#raw.failure;
  }

  set failure(reason: string) {
    this.#raw.failure = reason;
  }

  /** `seq` of the last sampled message; -1 before the first. */
  get sequence(): number {
    return this.#lastSequence;
  }

  /** Data messages since `startMeasuring`. */
  get messages(): number {
    return this.#raw.scanner.messages - this.#messagesAtStart;
  }

  /** Bytes of frames since `startMeasuring`. */
  get bytes(): number {
    return this.#raw.scanner.bytes - this.#bytesAtStart;
  }

  startMeasuring(): void {
    this.#messagesAtStart = this.#raw.scanner.messages;
    this.#bytesAtStart = this.#raw.scanner.bytes;
    this.sequenceAtStart = this.#lastSequence;
  }

  /** Lets a slow reader read once more. */
  readOnce(): void {
    this.#raw.readOnce();
  }

  /** Lets a stalled one read all there is. */
  readOn(): void {
    this.#raw.readOn();
  }

  /** Begins the closing handshake. */
  close(): void {
    this.#raw.close();
  }

  destroy(): void {
    this.#raw.destroy();
  }

  onOpen(): void {
    const shared = this.#shared;
    this.state = 'open';
    shared.connectTimes.record(nowUs() - this.#begunUs);
    const { hello, readyHead } = shared.dialect;
    if (hello !== undefined) this.#raw.send(hello);
    if (readyHead === undefined) this.#subscribe();
    shared.onSettled(this);
  }

  /** What the dialect adds to the WebSocket protocol. */
  onOther(bytes: Uint8Array, from: number, to: number): void {
    const { ping, pong, readyHead } = this.#shared.dialect;
    const text = Buffer.from(bytes.subarray(from, Math.min(to, from + TYPE_BYTES))).toString('latin1');
    if (text === ping) this.#raw.send(pong);
    if (readyHead !== undefined && text.startsWith(readyHead)) this.#subscribe();
  }

  onInflated(head: Uint8Array, readUs: number): void {
    this.#onMessage(head, 0, head.length, readUs);
  }

  #subscribe(): void {
    const { options, dialect } = this.#shared;
    const text = subscriptionText(options, this.index);
    if (text !== undefined) this.#raw.send(dialect.subscription(text));
  }

  onChunk(): void {
    if (this.pace !== 'stalled') this.#shared.reads++;
  }

  onEnd(): void {
    if (this.#raw.isInvalid) this.#shared.protocolErrors++;
    if (this.state === 'connecting') {
      this.state = 'failed';
      this.failure ||= 'the server ended the connection during the handshake';
      this.#shared.onSettled(this);
    } else if (this.state === 'open') {
      this.state = 'closed';
      this.#shared.onClosed(this);
    }
  }

  onSample(bytes: Uint8Array, from: number, to: number): void {
    this.#onMessage(bytes, from, to, 0);
  }

  /** @param readUs 0: now */
  #onMessage(bytes: Uint8Array, from: number, to: number, readUs: number): void {
    const shared = this.#shared;
    if (readTail(bytes, from, to - shared.dialect.tailBytes, this.#tail)) {
      if (this.#tail.merged > 0) this.#told.mergedSampled++;
      if (this.#tail.isSnapshot) {
        // It restates what is older than the frames around it.
        this.#told.snapshotsSampled++;
        return;
      }
      this.#checkOrder(this.#tail.seq);
    }
    if (shared.measuring && this.pace === 'steady') this.#recordLatency(bytes, from, to, readUs || nowUs());
  }

  #recordLatency(bytes: Uint8Array, from: number, to: number, readUs: number): void {
    const shared = this.#shared;
    const dueUs = findTimestampUs(bytes, from, Math.min(to, from + EXCERPT_HEAD_BYTES), shared.timestampKey);
    if (dueUs < 0) return;
    shared.latency.record(readUs - dueUs);
    shared.timeline?.record(readUs, readUs - dueUs);
  }

  #checkOrder(sequence: number): void {
    this.#shared.sequenceSamples++;
    if (sequence <= this.#lastSequence && !this.#inflates) this.#shared.orderErrors++;
    this.#lastSequence = sequence;
  }

  onGap(bytes: Uint8Array, from: number, to: number): void {
    if (this.#raw.scanner.gaps === 1) this.#told.connectionsWithGap++;
    this.#told.gaps++;
    this.#told.gapPublications += readGap(bytes, from, to)?.count ?? 0;
  }
}

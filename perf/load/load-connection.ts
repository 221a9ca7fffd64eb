import { connect, type Socket } from 'node:net';
import { nowUs } from '../../src/util/clock.ts';
import { clientFrame, closeFrame, textFrame } from './client-frame.ts';
import { EXCERPT_HEAD_BYTES, type FrameListener, FrameScanner, OPCODE } from './frame-scanner.ts';
import { HandshakeResponse, handshakeRequest } from './handshake.ts';
import type { LatencyHistogram } from './latency-histogram.ts';
import { type LoadOptions, subscriptionText } from './load-options.ts';
import { findSequence, findTimestampUs, keyBytes } from './message-scan.ts';

/** Connections from one source address; the kernel has some 28,000 ports for each. */
const CONNECTIONS_PER_ADDRESS = 20_000;
const READ_BYTES = 128 * 1024;
const NO_STATUS_RECEIVED = 1005;
const ABNORMAL_CLOSURE = 1006;

/** What the connections of one process share. */
export interface LoadShared {
  readonly options: LoadOptions;
  readonly timestampKey: Uint8Array;
  /** Every socket reads into the same bytes: they are looked at before the next read, never kept. */
  readonly readBuffer: Uint8Array;
  readonly latency: LatencyHistogram;
  readonly connectTimes: LatencyHistogram;
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
  latency: LatencyHistogram,
  connectTimes: LatencyHistogram,
  events: Pick<LoadShared, 'onSettled' | 'onClosed'>,
): LoadShared {
  return {
    options,
    timestampKey: keyBytes(options.timestampKey),
    readBuffer: Buffer.allocUnsafeSlow(READ_BYTES),
    latency,
    connectTimes,
    measuring: false,
    reads: 0,
    sequenceSamples: 0,
    orderErrors: 0,
    protocolErrors: 0,
    ...events,
  };
}

export type LoadConnectionState = 'connecting' | 'open' | 'failed' | 'closed';

/** One client: connects, subscribes, counts what comes, answers PING and CLOSE. */
export class LoadConnection implements FrameListener {
  readonly index: number;
  readonly isSlow: boolean;
  state: LoadConnectionState = 'connecting';
  /** Of the server's close frame; 1006 where the socket ended without one. */
  closeCode = ABNORMAL_CLOSURE;
  failure = '';
  readonly #shared: LoadShared;
  readonly #scanner: FrameScanner;
  readonly #begunUs = nowUs();
  readonly #socket: Socket;
  #handshake: HandshakeResponse | undefined = new HandshakeResponse();
  #lastSequence = -1;
  #closing = false;
  #messagesAtStart = 0;
  #bytesAtStart = 0;

  /** @param index over all processes; decides symbols, source address and which messages are sampled */
  constructor(shared: LoadShared, index: number) {
    const { options } = shared;
    this.#shared = shared;
    this.index = index;
    this.isSlow = index < options.slow;
    this.#scanner = new FrameScanner(this, options.sampleEvery, index);
    const addressIndex = Math.floor(index / CONNECTIONS_PER_ADDRESS);
    this.#socket = connect({
      host: '127.0.0.1',
      port: options.port,
      ...(addressIndex > 0 ? { localAddress: `127.0.0.${1 + addressIndex}` } : {}),
      onread: {
        buffer: this.isSlow ? Buffer.allocUnsafeSlow(options.slowBytes) : shared.readBuffer,
        callback: (length, buffer) => this.#onRead(length, buffer),
      },
    });
    this.#socket.on('connect', () => this.#socket.write(handshakeRequest(options.port, options.path), 'latin1'));
    this.#socket.on('error', (error) => {
      this.failure ||= error.message;
    });
    this.#socket.on('close', () => this.#onSocketClose());
  }

  /** Data messages since `startMeasuring`. */
  get messages(): number {
    return this.#scanner.messages - this.#messagesAtStart;
  }

  /** Bytes of frames since `startMeasuring`. */
  get bytes(): number {
    return this.#scanner.bytes - this.#bytesAtStart;
  }

  startMeasuring(): void {
    this.#messagesAtStart = this.#scanner.messages;
    this.#bytesAtStart = this.#scanner.bytes;
  }

  /** Lets a slow reader read once more. */
  readOnce(): void {
    if (this.state === 'open') this.#socket.resume();
  }

  /** Begins the closing handshake. */
  close(): void {
    if (this.state === 'open') {
      this.#closing = true;
      this.#socket.resume();
      this.#socket.write(closeFrame(1000));
    } else this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #onRead(length: number, buffer: Uint8Array): boolean {
    if (this.#handshake === undefined) {
      this.#shared.reads++;
      this.#scanner.push(buffer, length);
    } else this.#onResponse(this.#handshake, buffer.subarray(0, length));
    return !this.isSlow || this.#closing || this.state !== 'open';
  }

  #onResponse(handshake: HandshakeResponse, chunk: Uint8Array): void {
    const outcome = handshake.push(chunk);
    if (outcome.kind === 'more') return;
    if (outcome.kind === 'refused') {
      this.failure = outcome.reason;
      this.destroy();
      return;
    }
    this.#handshake = undefined;
    this.state = 'open';
    this.#shared.connectTimes.record(nowUs() - this.#begunUs);
    const text = subscriptionText(this.#shared.options, this.index);
    if (text !== undefined) this.#socket.write(textFrame(text));
    this.#shared.onSettled(this);
    this.#scanner.push(outcome.rest, outcome.rest.length);
  }

  #onSocketClose(): void {
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
    const shared = this.#shared;
    const sequence = findSequence(bytes, from, to);
    if (sequence >= 0) {
      shared.sequenceSamples++;
      if (sequence <= this.#lastSequence) shared.orderErrors++;
      this.#lastSequence = sequence;
    }
    if (!shared.measuring || this.isSlow) return;
    const dueUs = findTimestampUs(bytes, from, Math.min(to, from + EXCERPT_HEAD_BYTES), shared.timestampKey);
    if (dueUs >= 0) shared.latency.record(nowUs() - dueUs);
  }

  onControl(opcode: number, payload: Uint8Array): void {
    if (opcode === OPCODE.ping) this.#socket.write(clientFrame(OPCODE.pong, payload));
    if (opcode !== OPCODE.close) return;
    this.closeCode = payload.length < 2 ? NO_STATUS_RECEIVED : ((payload[0] as number) << 8) | (payload[1] as number);
    this.#socket.end(clientFrame(OPCODE.close, payload.subarray(0, 2)));
  }

  onInvalid(reason: string): void {
    this.#shared.protocolErrors++;
    this.failure = reason;
    this.destroy();
  }
}

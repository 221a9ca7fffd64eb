import { connect, type Socket } from 'node:net';
import { clientFrame, closeFrame, textFrame } from './client-frame.ts';
import { type FrameListener, FrameScanner, OPCODE } from './frame-scanner.ts';
import { HandshakeResponse, handshakeRequest } from './handshake.ts';
import { Inflater } from './inflater.ts';

const NO_STATUS_RECEIVED = 1005;
const ABNORMAL_CLOSURE = 1006;

export interface RawConnectionOptions {
  port: number;
  path: string;
  /** Whether it offers permessage-deflate. Compressed messages are counted, and never looked into. */
  deflates?: boolean;
  /** Compressed messages are looked into all the same. */
  inflates?: boolean;
  /** What a delivery begins with; undefined: all are deliveries but gaps. */
  dataHead?: Uint8Array | undefined;
  localAddress?: string;
  /** What is read stands here until the next read; connections may share it. */
  readBuffer: Uint8Array;
  /** Every how many messages `onSample` is called, and with which of them it begins. */
  sampleEvery: number;
  phase: number;
}

/** What a connection tells its owner. */
export interface RawConnectionListener extends Pick<FrameListener, 'onSample' | 'onGap' | 'onOther'> {
  /** The handshake is done. Frames that came with it follow. */
  onOpen(): void;
  /** The socket is closed; once, also where it never opened. */
  onEnd(): void;
  /** Before a chunk of frames is scanned. */
  onChunk?(): void;
  /** The beginning of a message that came compressed, and when it had come; of those that inflate. */
  onInflated?(head: Uint8Array, readUs: number): void;
}

/** A WebSocket on a raw socket to 127.0.0.1: does the handshake, scans frames, answers PING and CLOSE. */
export class RawConnection {
  isOpen = false;
  /** Of the server's close frame; 1006 where the socket ended without one. */
  closeCode = ABNORMAL_CLOSURE;
  /** Why it did not open or broke; empty as long as nothing went wrong. */
  failure = '';
  /** The server broke the protocol. */
  isInvalid = false;
  /** Once open, reads one buffer for each call of `readOnce` instead of all there is. */
  readsOnDemand = false;
  readonly scanner: FrameScanner;
  readonly #listener: RawConnectionListener;
  readonly #socket: Socket;
  #inflater: Inflater | undefined;
  #handshake: HandshakeResponse | undefined = new HandshakeResponse();

  constructor(options: RawConnectionOptions, listener: RawConnectionListener) {
    const { port, path, deflates = false, dataHead, localAddress, readBuffer, sampleEvery, phase } = options;
    this.#listener = listener;
    if (options.inflates === true) {
      const onMessage = (head: Uint8Array, readUs: number) => listener.onInflated?.(head, readUs);
      this.#inflater = new Inflater(onMessage, (reason) => this.#onInvalid(reason));
    }
    this.scanner = new FrameScanner(
      {
        onSample: (bytes, from, to) => listener.onSample(bytes, from, to),
        onGap: (bytes, from, to) => listener.onGap(bytes, from, to),
        onOther: (bytes, from, to) => listener.onOther?.(bytes, from, to),
        onCompressed: (bytes, from, to, isLast) => this.#inflater?.push(bytes.subarray(from, to), isLast),
        onControl: (opcode, payload) => this.#onControl(opcode, payload),
        onInvalid: (reason) => this.#onInvalid(reason),
      },
      sampleEvery,
      phase,
      { deflates, dataHead },
    );
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      ...(localAddress === undefined ? {} : { localAddress }),
      onread: { buffer: readBuffer, callback: (length, buffer) => this.#onRead(length, buffer) },
    });
    this.#socket.on('connect', () => this.#socket.write(handshakeRequest(port, path, deflates), 'latin1'));
    this.#socket.on('error', (error) => {
      this.failure ||= error.message;
    });
    this.#socket.on('close', () => {
      this.isOpen = false;
      this.#inflater?.close();
      this.#inflater = undefined;
      listener.onEnd();
    });
  }

  send(text: string): void {
    this.#socket.write(textFrame(text));
  }

  /** Lets one that reads on demand read once more. */
  readOnce(): void {
    if (this.isOpen) this.#socket.resume();
  }

  /** From now on, reads all there is. */
  readOn(): void {
    this.readsOnDemand = false;
    this.readOnce();
  }

  /** Begins the closing handshake. */
  close(): void {
    if (!this.isOpen) return this.destroy();
    this.readOn();
    this.#socket.write(closeFrame(1000));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Returns whether to go on reading. */
  #onRead(length: number, buffer: Uint8Array): boolean {
    if (this.#handshake === undefined) {
      this.#listener.onChunk?.();
      this.scanner.push(buffer, length);
    } else this.#onResponse(this.#handshake, buffer.subarray(0, length));
    return !this.readsOnDemand || !this.isOpen;
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
    this.isOpen = true;
    this.#listener.onOpen();
    this.scanner.push(outcome.rest, outcome.rest.length);
  }

  #onControl(opcode: number, payload: Uint8Array): void {
    if (opcode === OPCODE.ping) this.#socket.write(clientFrame(OPCODE.pong, payload));
    if (opcode !== OPCODE.close) return;
    this.closeCode = payload.length < 2 ? NO_STATUS_RECEIVED : ((payload[0] as number) << 8) | (payload[1] as number);
    this.#socket.end(clientFrame(OPCODE.close, payload.subarray(0, 2)));
  }

  #onInvalid(reason: string): void {
    this.isInvalid = true;
    this.failure = reason;
    this.destroy();
  }
}

import { connect, type Socket } from 'node:net';
import { clientFrame, closeFrame, textFrame } from '../load/client-frame.ts';
import { OPCODE } from '../load/frame-scanner.ts';
import { HandshakeResponse, handshakeRequest } from '../load/handshake.ts';
import { FrameReader, type FrameReaderListener } from './frame-reader.ts';

export interface ClientSocketEvents {
  onOpen(): void;
  onText(text: string): void;
  /** Once, also where it never opened. @param code of the gateway's close frame; 1006 where none came */
  onClosed(code: number, reason: string): void;
}

const NORMAL_CLOSURE = 1000;
const ABNORMAL_CLOSURE = 1006;

/**
 * A WebSocket client that can do what browsers can't: stop reading for good, read one piece at a time, or vanish in the middle
 * of what it was sent.
 */
export class ClientSocket implements FrameReaderListener {
  readonly #socket: Socket;
  readonly #events: ClientSocketEvents;
  readonly #reader = new FrameReader(this);
  #handshake: HandshakeResponse | undefined = new HandshakeResponse();
  #closeCode = ABNORMAL_CLOSURE;
  #reason = '';
  #isGone = false;
  /** Between two pieces, ms; 0: as they come. */
  #pieceEveryMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(port: number, path: string, events: ClientSocketEvents) {
    this.#events = events;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('connect', () => this.#socket.write(handshakeRequest(port, path), 'latin1'));
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('error', (error) => {
      this.#reason ||= error.message;
    });
    this.#socket.on('close', () => this.#gone());
  }

  send(message: object): void {
    this.#socket.write(textFrame(JSON.stringify(message)));
  }

  /** Sends several messages in one piece, so that the gateway reads them in one. */
  sendAll(messages: readonly object[]): void {
    this.#socket.write(Buffer.concat(messages.map((message) => textFrame(JSON.stringify(message)))));
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.#socket.pause();
  }

  /** @param pieceEveryMs reads one piece each so many ms; 0: as they come */
  resume(pieceEveryMs = 0): void {
    clearTimeout(this.#timer);
    this.#pieceEveryMs = pieceEveryMs;
    this.#socket.resume();
  }

  /** Vanishes at once: whatever has not been handed on yet never will be. The gateway sees a reset. */
  reset(): void {
    this.#reader.stop();
    this.#socket.resetAndDestroy();
    this.#gone();
  }

  /** Says goodbye; the gateway answers and ends the connection. */
  leave(): void {
    this.#socket.resume();
    this.#socket.write(closeFrame(NORMAL_CLOSURE));
  }

  onText(text: string): void {
    this.#events.onText(text);
  }

  onControl(opcode: number, payload: Uint8Array): void {
    if (opcode === OPCODE.ping) this.#socket.write(clientFrame(OPCODE.pong, payload));
    if (opcode !== OPCODE.close) return;
    if (payload.length >= 2) this.#closeCode = ((payload[0] as number) << 8) | (payload[1] as number);
    this.#reason = Buffer.from(payload.subarray(2)).toString();
    this.#socket.end(clientFrame(OPCODE.close, payload.subarray(0, 2)));
  }

  onInvalid(reason: string): void {
    this.#reason = reason;
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    if (this.#handshake === undefined) this.#reader.push(chunk);
    else this.#onResponse(this.#handshake, chunk);
    if (this.#pieceEveryMs === 0 || this.#isGone) return;
    this.#socket.pause();
    this.#timer = setTimeout(() => this.#socket.resume(), this.#pieceEveryMs);
  }

  #onResponse(handshake: HandshakeResponse, chunk: Buffer): void {
    const outcome = handshake.push(chunk);
    if (outcome.kind === 'more') return;
    if (outcome.kind === 'refused') return this.onInvalid(outcome.reason);
    this.#handshake = undefined;
    this.#events.onOpen();
    this.#reader.push(Buffer.from(outcome.rest));
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearTimeout(this.#timer);
    this.#events.onClosed(this.#closeCode, this.#reason);
  }
}

import type { WebSocketServer } from 'ws';
import { WINDOW_BITS_MAX, WINDOW_BITS_MIN } from './sync-deflate.ts';

const HEADER = /^sec-websocket-extensions:(.*)$/i;

/** What a shard agrees on with clients that offer permessage-deflate, RFC 7692 §7.1. */
export class DeflateNegotiation {
  /**
   * For ws, which inflates what clients send, with nothing kept from one message to the next. It agrees to every window for
   * what the gateway sends, and compresses nothing by itself as long as it is not asked to send data.
   */
  readonly options = { clientNoContextTakeover: true };
  /** What the handshake at hand has come to: how large a window the frames for that client may use; 0: none, only plain. */
  windowBits = 0;
  readonly #windowBitsMax: number;

  /** @param windowBitsMax for all clients, also those that can do more */
  constructor(windowBitsMax: number) {
    this.#windowBitsMax = windowBitsMax;
  }

  /** From now on `windowBits` goes with the handshakes of this server, right before it hands each of them over. */
  listenTo(server: Pick<WebSocketServer, 'on'>): void {
    server.on('headers', (answer) => {
      this.windowBits = Math.min(windowBitsIn(answer), this.#windowBitsMax);
    });
  }
}

/** @param headers lines of the answer */
function windowBitsIn(headers: readonly string[]): number {
  for (const header of headers) {
    const value = HEADER.exec(header)?.[1];
    if (value !== undefined) return windowBitsOfExtension(value);
  }
  return 0;
}

/** @param answer such as `permessage-deflate; server_max_window_bits=12` */
function windowBitsOfExtension(answer: string): number {
  const [name, ...parameters] = answer.split(';').map((part) => part.trim().toLowerCase());
  if (name !== 'permessage-deflate') return 0;
  let bits = WINDOW_BITS_MAX;
  for (const parameter of parameters) {
    const [key, value] = parameter.split('=', 2);
    // Messages that do not refer to others are hardly smaller, and a stream of their own would have to be kept for them.
    if (key === 'server_no_context_takeover') return 0;
    if (key === 'server_max_window_bits') bits = Number(value);
  }
  return bits >= WINDOW_BITS_MIN && bits <= WINDOW_BITS_MAX ? bits : 0;
}

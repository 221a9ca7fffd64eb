import { WebSocket } from 'ws';
import { BackOff } from '../util/back-off.ts';

export interface LinkOptions {
  readonly address: string;
  /** Sent whenever the connection stands; undefined: nothing is asked for. */
  readonly subscribe: string | undefined;
  readonly connectTimeoutMs: number;
  /** A longer message ends the connection. */
  readonly messageBytesMax: number;
}

export interface LinkEvents {
  message(text: string, arrivedMs: number): void;
  /** The connection is gone, and is tried again. */
  lost(atMs: number, code: number, reason: string): void;
  restored(atMs: number): void;
}

const RECONNECT_FIRST_MS = 250;
const RECONNECT_LONGEST_MS = 5_000;
const RECONNECT_QUIET_MS = 30_000;
/** As the front ends do it: a server may close who says nothing. */
const PING_INTERVAL_MS = 30_000;
const CLOSE_NORMAL = 1000;
const CLOSE_TIMEOUT_MS = 1_000;

/** A connection to one of the servers, as a front end has it: it answers pings, and comes back when it is lost. */
export class ServerLink {
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #backOff = new BackOff(RECONNECT_FIRST_MS, RECONNECT_LONGEST_MS, RECONNECT_QUIET_MS);
  #socket: WebSocket | undefined;
  #pinging: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Connects once. Rejects where that fails; what is lost later is reported, and connected again. */
  async open(): Promise<void> {
    const socket = await this.#connect();
    if (this.#isClosed) socket.terminate();
  }

  /** Answers a ping of the server that is a message. */
  pong(): void {
    this.#send({ type: 'pong', timestamp: nowIso() });
  }

  /** Nothing is reported any more. The server has a moment to answer the close. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#pinging);
    clearTimeout(this.#retry);
    this.#socket?.close(CLOSE_NORMAL);
    setTimeout(() => this.#socket?.terminate(), CLOSE_TIMEOUT_MS).unref();
  }

  #connect(): Promise<WebSocket> {
    const { address, connectTimeoutMs, messageBytesMax } = this.#options;
    const socket = new WebSocket(address, { maxPayload: messageBytesMax, perMessageDeflate: false });
    this.#socket = socket;
    const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${connectTimeoutMs / 1000} s`));
      socket.terminate();
    }, connectTimeoutMs);
    socket.on('error', reject);
    // Messages may come with the very bytes that end the handshake: nothing may lie between open and listening.
    socket.on('message', (data) => this.#take(String(data)));
    socket.once('open', () => {
      this.#opened(socket);
      resolve(socket);
    });
    return promise.finally(() => clearTimeout(timer));
  }

  #opened(socket: WebSocket): void {
    const { subscribe } = this.#options;
    if (subscribe !== undefined) socket.send(subscribe);
    let failure = '';
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.once('close', (code, reason) => this.#lose(code, failure || String(reason)));
    clearInterval(this.#pinging);
    this.#pinging = setInterval(() => this.#send({ type: 'ping', timestamp: nowIso() }), PING_INTERVAL_MS);
  }

  #take(text: string): void {
    if (!this.#isClosed) this.#events.message(text, performance.now());
  }

  #lose(code: number, reason: string): void {
    clearInterval(this.#pinging);
    if (this.#isClosed) return;
    this.#events.lost(performance.now(), code, reason);
    this.#retryLater();
  }

  #retryLater(): void {
    this.#retry = setTimeout(() => void this.#comeBack(), this.#backOff.failed(performance.now()));
  }

  async #comeBack(): Promise<void> {
    try {
      await this.open();
      if (!this.#isClosed) this.#events.restored(performance.now());
    } catch {
      if (!this.#isClosed) this.#retryLater();
    }
  }

  #send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

function nowIso(): string {
  return new Date().toISOString();
}

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { until } from './old-server.ts';
import type { Received } from './test-client.ts';

/** What becomes of the `nth` data message (from 1) on its way to the client; nothing of it where that is an empty list. */
export type Fault = (message: Received, nth: number) => readonly unknown[];

/**
 * A relay between clients and a server, which does to data messages what a test likes. A client is let in once the
 * server has.
 */
export class FaultyRelay {
  /** Data messages that have come from the server. */
  relayed = 0;
  /** `seq` of the newest one. */
  lastSeq = 0;
  readonly #server: WebSocketServer;
  readonly #target: string;
  readonly #fault: Fault;
  readonly #upstreams = new Map<IncomingMessage, Upstream>();
  #pongs = 0;

  private constructor(port: number, fault: Fault) {
    this.#target = `ws://127.0.0.1:${port}/ws`;
    this.#fault = fault;
    this.#server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      verifyClient: ({ req }: { req: IncomingMessage }, accept: (isAccepted: boolean) => void) => {
        this.#upstreams.set(req, new Upstream(this.#target, () => accept(true)));
      },
    });
    this.#server.on('connection', (socket, request) => this.#join(socket, this.#upstreams.get(request)!));
  }

  static async start(port: number, fault: Fault = (message) => [message]): Promise<FaultyRelay> {
    const relay = new FaultyRelay(port, fault);
    onTestFinished(() => relay.#stop());
    await once(relay.#server, 'listening');
    return relay;
  }

  get address(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  /** From here on nothing is read from the server, until `resume`. */
  pause(): void {
    for (const { socket } of this.#upstreams.values()) socket.pause();
  }

  resume(): void {
    for (const { socket } of this.#upstreams.values()) socket.resume();
  }

  /** Resolves once so many data messages have come, and the client has read what became of them. */
  async settle(relayed: number): Promise<void> {
    await until(() => this.relayed >= relayed, `${relayed} data messages, of which ${this.relayed} have come`);
    await this.#allRead();
  }

  async #allRead(): Promise<void> {
    const wanted = this.#pongs + this.#server.clients.size;
    for (const socket of this.#server.clients) socket.send('{"type":"ping"}');
    await until(() => this.#pongs >= wanted, 'a pong from every client');
  }

  #join(socket: WebSocket, upstream: Upstream): void {
    upstream.deliverTo((text) => this.#relay(socket, text));
    upstream.socket.on('close', () => socket.terminate());
    socket.on('error', () => {});
    socket.on('close', () => upstream.socket.terminate());
    socket.on('message', (data) => {
      const text = String(data);
      if (text.includes('"pong"')) this.#pongs++;
      else upstream.socket.send(text);
    });
  }

  #relay(socket: WebSocket, text: string): void {
    const message = JSON.parse(text) as Received;
    if (message.seq === undefined) return socket.send(text);
    this.lastSeq = message.seq;
    for (const each of this.#fault(message, ++this.relayed)) socket.send(JSON.stringify(each));
  }

  #stop(): void {
    for (const { socket } of this.#upstreams.values()) socket.terminate();
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }
}

/** A connection to the server; keeps what comes until somebody takes it. */
class Upstream {
  readonly socket: WebSocket;
  readonly #kept: string[] = [];
  #deliver = (text: string): void => {
    this.#kept.push(text);
  };

  constructor(target: string, opened: () => void) {
    this.socket = new WebSocket(target);
    this.socket.on('error', () => {});
    this.socket.on('open', opened);
    this.socket.on('message', (data) => this.#deliver(String(data)));
  }

  deliverTo(deliver: (text: string) => void): void {
    this.#deliver = deliver;
    for (const text of this.#kept.splice(0)) deliver(text);
  }
}

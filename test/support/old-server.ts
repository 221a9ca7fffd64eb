import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';

const PATIENCE_MS = 10_000;

/**
 * A server as the collector of old has it: it greets, answers every message with an `ack`, and broadcasts flat messages to
 * everybody, whatever was subscribed.
 */
export class OldServer {
  /** What it got, as text. */
  readonly received: string[] = [];
  readonly #server: WebSocketServer;
  #pongs = 0;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket) => this.#greet(socket));
  }

  static async start(): Promise<OldServer> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/ws' });
    onTestFinished(() => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    await once(server, 'listening');
    return new OldServer(server);
  }

  get address(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  get clients(): number {
    return this.#server.clients.size;
  }

  /** Objects as JSON, texts and bytes as they are. */
  broadcast(...messages: (object | string)[]): void {
    for (const message of messages) {
      const isRaw = typeof message === 'string' || Buffer.isBuffer(message);
      for (const socket of this.#server.clients) socket.send(isRaw ? message : JSON.stringify(message));
    }
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#server.clients) socket.terminate();
  }

  /** Resolves once every client has answered a ping, and so has read what was sent before. */
  async settle(): Promise<void> {
    const wanted = this.#pongs + this.#server.clients.size;
    this.broadcast({ type: 'ping' });
    await until(() => this.#pongs >= wanted, 'a pong from every client');
  }

  #greet(socket: WebSocket): void {
    const timestamp = new Date().toISOString();
    socket.on('error', () => {});
    socket.on('message', (data) => this.#answer(socket, String(data)));
    socket.send(JSON.stringify({ type: 'welcome', message: 'Connected', timestamp }));
    socket.send(JSON.stringify({ type: 'binance_status', connected: true, timestamp }));
  }

  #answer(socket: WebSocket, text: string): void {
    this.received.push(text);
    const { type } = JSON.parse(text) as { type: string };
    if (type === 'pong') this.#pongs++;
    socket.send(JSON.stringify({ type: 'ack', originalType: type }));
  }
}

export async function until(look: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!look()) {
    if (performance.now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

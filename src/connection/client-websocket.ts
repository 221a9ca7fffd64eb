import { type RawData, WebSocket } from 'ws';
import type { PooledConnection } from './pooled-connection.ts';

/** A WebSocket that knows its connection, so that one set of listeners serves them all. */
export class ClientWebSocket extends WebSocket {
  connection: PooledConnection | undefined;

  /** Also called by ws itself, which answers a client's close frame and a broken frame with it. */
  override close(code?: number, data?: string | Buffer): void {
    super.close(code, data);
    if (this.connection !== undefined) this.connection.proxy?.closing(this.connection);
  }

  /** Call before anything else can happen to it: an error nobody listens to would end the thread. */
  listenForErrors(): void {
    this.on('error', onError);
  }

  /** From here on, what comes in is the connection's. */
  belongsTo(connection: PooledConnection): void {
    this.connection = connection;
    this.on('message', onMessage).on('ping', onPing).on('close', onClose);
  }
}

function onMessage(this: WebSocket, data: RawData): void {
  const { connection } = this as ClientWebSocket;
  connection?.proxy?.message(connection, data);
}

function onPing(this: WebSocket): void {
  const { connection } = this as ClientWebSocket;
  connection?.proxy?.pinged(connection);
}

function onError(this: WebSocket, error: Error): void {
  const { connection } = this as ClientWebSocket;
  connection?.proxy?.failed(connection, error);
}

function onClose(this: WebSocket, code: number): void {
  const { connection } = this as ClientWebSocket;
  connection?.proxy?.closed(connection, code);
}

import { type RawData, WebSocket } from 'ws';
import type { PooledConnection } from './pooled-connection.ts';

/**
 * A WebSocket that knows its connection and hands it what happens, without listeners: four of them would take 200 bytes of
 * each connection. As long as it has no connection, what happens to it is nobody's concern, errors included.
 */
export class ClientWebSocket extends WebSocket {
  /** From when it is set, what comes in is the connection's. */
  connection: PooledConnection | undefined;

  /** Also called by ws itself, which answers a client's close frame and a broken frame with it. */
  override close(code?: number, data?: string | Buffer): void {
    super.close(code, data);
    if (this.connection !== undefined) this.connection.proxy?.closing(this.connection);
  }

  /** Called by ws for all that it has to tell. */
  override emit(event: string | symbol, first?: unknown, ...more: unknown[]): boolean {
    const { connection } = this;
    const proxy = connection?.proxy;
    if (connection === undefined || proxy === undefined) return event === 'error' || super.emit(event, first, ...more);
    switch (event) {
      case 'message':
        proxy.message(connection, first as RawData);
        return true;
      case 'ping':
        proxy.pinged(connection, first as Buffer);
        return true;
      case 'error':
        proxy.failed(connection, first as Error);
        return true;
      case 'close':
        proxy.closed(connection, first as number);
        return true;
      default:
        return super.emit(event, first, ...more);
    }
  }
}

import { textFrame } from '../frame/frame-header.ts';
import { ERROR_CODES, type ErrorCode } from '../util/errors.ts';
import type { PooledConnection } from './pooled-connection.ts';

/**
 * Sends one control message, whole, through the socket that the data frames go through. Nothing once it is closing, or
 * where the client does not read: then it closes.
 */
export function sendReply(
  connection: PooledConnection,
  type: string,
  payload: object,
  id: string | number | undefined,
): void {
  if (connection.state !== 'open' || connection.proxy?.givesUpOn(connection)) return;
  connection.socket.write(textFrame(JSON.stringify({ type, payload, timestamp: Date.now(), id })));
}

/** Sends one `error` message. The request had no effect; the connection stays. */
export function sendError(
  connection: PooledConnection,
  code: ErrorCode,
  detail: object,
  id: string | number | undefined,
): void {
  connection.errors++;
  sendReply(connection, 'error', { code, message: ERROR_CODES[code], detail }, id);
}

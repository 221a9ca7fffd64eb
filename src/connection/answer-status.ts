import type { Duplex } from 'node:stream';

/** How long a peer has to close its side once it has its answer, ms. */
const GIVE_UP_MS = 1_000;

/**
 * Answers a request that leads nowhere with a status and no body, and ends its connection. Node's HTTP server leaves half
 * of an ended connection open, so a peer that never closes its own half is cut off. Cutting at once would reset the
 * connection where bytes have not been read, and the answer could be lost with it.
 * @param status such as `400 Bad Request`
 * @param header one more, such as `Retry-After: 5`
 */
export function answerStatus(socket: Duplex, status: string, header?: string): void {
  const more = header === undefined ? '' : `${header}\r\n`;
  socket.end(`HTTP/1.1 ${status}\r\n${more}Connection: close\r\nContent-Length: 0\r\n\r\n`);
  setTimeout(() => socket.destroy(), GIVE_UP_MS).unref();
}

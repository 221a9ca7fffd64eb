/**
 * The opening handshake by hand (RFC 6455 §4.1), with the key and the answer that §1.3 of the RFC gives as its
 * example: a fixed pair costs no SHA-1 a connection, and lets a server without one be measured too.
 */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const RESPONSE_BYTES_MAX = 16_384;
const HEADER_END = Buffer.from('\r\n\r\n');

/** @param deflates whether it offers permessage-deflate, as browsers do */
export function handshakeRequest(port: number, path: string, deflates = false): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    ...(deflates ? ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'] : []),
    '\r\n',
  ].join('\r\n');
}

/** `rest`: what came after the response, the first frames. */
export type HandshakeOutcome =
  | { kind: 'more' }
  | { kind: 'accepted'; rest: Uint8Array }
  | { kind: 'refused'; reason: string };

const MORE: HandshakeOutcome = { kind: 'more' };

/** Gathers the server's response, which may come in pieces. */
export class HandshakeResponse {
  #received: Buffer = Buffer.alloc(0);

  /** `chunk` is copied. After `accepted` or `refused` the object has done its work. */
  push(chunk: Uint8Array): HandshakeOutcome {
    this.#received = Buffer.concat([this.#received, chunk]);
    const end = this.#received.indexOf(HEADER_END);
    if (end >= 0) return judge(this.#received, end);
    return this.#received.length > RESPONSE_BYTES_MAX ? refused('a response without an end') : MORE;
  }
}

function judge(received: Buffer, end: number): HandshakeOutcome {
  const head = received.toString('latin1', 0, end);
  const status = head.slice(0, head.indexOf('\r\n') < 0 ? undefined : head.indexOf('\r\n'));
  if (!/^HTTP\/1\.1 101(\s|$)/.test(status)) return refused(status);
  const accept = /\r\nsec-websocket-accept:[ \t]*(\S+)/i.exec(head);
  if (accept?.[1] !== ACCEPT) return refused('a wrong Sec-WebSocket-Accept');
  return { kind: 'accepted', rest: received.subarray(end + HEADER_END.length) };
}

function refused(reason: string): HandshakeOutcome {
  return { kind: 'refused', reason };
}

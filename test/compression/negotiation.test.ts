import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { WebSocketServer } from 'ws';
import { DeflateNegotiation } from '../../src/compression/negotiation.ts';

/** What comes of a handshake that is answered with these lines. */
function bitsOf(windowBitsMax: number, ...lines: string[]): number {
  const server = new EventEmitter();
  const negotiation = new DeflateNegotiation(windowBitsMax);
  negotiation.listenTo(server as WebSocketServer);
  for (const answer of [['Sec-WebSocket-Extensions: permessage-deflate'], lines]) server.emit('headers', answer);
  return negotiation.windowBits;
}

describe('what a client can inflate', () => {
  it.each([
    ['permessage-deflate', 15],
    ['permessage-deflate; client_no_context_takeover', 15],
    ['permessage-deflate; server_max_window_bits=15', 15],
    ['permessage-deflate; client_no_context_takeover; server_max_window_bits=9', 9],
    // zlib makes no raw deflate stream with a window so small.
    ['permessage-deflate; server_max_window_bits=8', 0],
    ['permessage-deflate; server_no_context_takeover', 0],
    ['x-webkit-deflate-frame', 0],
  ])('is told by the answer to its handshake: %s', (value, bits) => {
    expect(bitsOf(15, 'HTTP/1.1 101 Switching Protocols', `Sec-WebSocket-Extensions: ${value}`)).toBe(bits);
  });

  it('is nothing where no extension was agreed on', () => {
    expect(bitsOf(15, 'HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket')).toBe(0);
  });

  it('is used up to the largest window that is allowed', () => {
    expect(bitsOf(12, 'Sec-WebSocket-Extensions: permessage-deflate')).toBe(12);
    expect(bitsOf(12, 'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10')).toBe(10);
  });
});

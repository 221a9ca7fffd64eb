import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { HandshakeResponse, handshakeRequest } from '../../perf/load/handshake.ts';

const key = /Sec-WebSocket-Key: (\S+)/.exec(handshakeRequest(1, '/'))?.[1] ?? '';
const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
const response = (status: string, value: string) =>
  Buffer.from(`HTTP/1.1 ${status}\r\nUpgrade: websocket\r\nsec-websocket-accept: ${value}\r\n\r\nframes`);

describe('handshakeRequest', () => {
  it('asks for the path and ends with an empty line', () => {
    const request = handshakeRequest(8080, '/ws?subscription=none');
    expect(request.startsWith('GET /ws?subscription=none HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n')).toBe(true);
    expect(request.endsWith('\r\nSec-WebSocket-Version: 13\r\n\r\n')).toBe(true);
    expect(Buffer.from(key, 'base64').length).toBe(16);
  });

  it('offers permessage-deflate where it is to', () => {
    expect(handshakeRequest(1, '/')).not.toContain('Extensions');
    expect(handshakeRequest(1, '/', true)).toContain('\r\nSec-WebSocket-Extensions: permessage-deflate;');
  });
});

describe('HandshakeResponse', () => {
  it('accepts the right answer and hands over what follows it', () => {
    const outcome = new HandshakeResponse().push(response('101 Switching Protocols', accept));
    expect(outcome).toEqual({ kind: 'accepted', rest: Buffer.from('frames') });
  });

  it('takes an answer in pieces', () => {
    const whole = response('101 Switching Protocols', accept);
    const handshake = new HandshakeResponse();
    for (const byte of whole.subarray(0, -7)) expect(handshake.push(Uint8Array.of(byte))).toEqual({ kind: 'more' });
    expect(handshake.push(whole.subarray(-7))).toEqual({ kind: 'accepted', rest: Buffer.from('frames') });
  });

  it('refuses another status, a wrong key and a response without an end', () => {
    expect(new HandshakeResponse().push(response('503 Busy', accept))).toEqual({
      kind: 'refused',
      reason: 'HTTP/1.1 503 Busy',
    });
    expect(new HandshakeResponse().push(response('101 Switching Protocols', 'x'))).toMatchObject({ kind: 'refused' });
    expect(new HandshakeResponse().push(Buffer.alloc(20_000, 'x'))).toMatchObject({ kind: 'refused' });
  });
});

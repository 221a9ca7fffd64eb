import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAdminApp } from '../../src/admin/admin-app.ts';
import type { ForwardedRequest } from '../../src/admin/forwarded-request.ts';
import { answerForwarded } from '../../src/admin/inject.ts';
import { machineOf } from '../support/admin-answers.ts';
import { FakeAdminContext } from '../support/fake-admin-context.ts';

let context: FakeAdminContext;
let app: FastifyInstance;

beforeEach(() => {
  context = new FakeAdminContext();
  app = createAdminApp(machineOf(context), '');
});

afterEach(() => app.close());

/** There and back as between threads. */
async function forward(fields: Partial<ForwardedRequest> = {}) {
  const request: ForwardedRequest = {
    method: 'GET',
    url: '/api/websocket/status',
    headers: { host: '127.0.0.1:8080', connection: 'keep-alive' },
    body: '',
    remoteAddress: '127.0.0.1',
    ...fields,
  };
  return structuredClone(await answerForwarded(app, structuredClone(request)));
}

describe('a forwarded request', () => {
  it('is answered with status, headers and body', async () => {
    const { status, headers, body } = await forward();
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8' });
    expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
    expect(JSON.parse(body)).toMatchObject({ status: 'available' });
  });

  it('is answered without headers of the connection', async () => {
    const { headers } = await forward();
    for (const name of ['connection', 'keep-alive', 'transfer-encoding']) expect(headers).not.toHaveProperty(name);
  });

  it('answers HEAD with the length that GET would have', async () => {
    const { headers, body } = await forward({ method: 'HEAD' });
    expect(body).toBe('');
    expect(Number(headers['content-length'])).toBeGreaterThan(0);
  });

  it('takes a body that came in chunks', async () => {
    const headers = { 'transfer-encoding': 'chunked', 'content-type': 'application/json', expect: '100-continue' };
    const { status } = await forward({ method: 'POST', url: '/api/websocket/flush', headers, body: '{"a":1}' });
    expect({ status, flushes: context.flushes }).toEqual({ status: 200, flushes: 1 });
  });

  it('takes a body whose length was told in another encoding', async () => {
    const headers = { 'content-length': '3' };
    const { status } = await forward({ method: 'POST', url: '/api/websocket/flush', headers, body: 'ééé' });
    expect(status).toBe(200);
  });

  it('refuses a body over 64 KiB', async () => {
    const { status, body } = await forward({ method: 'POST', url: '/api/websocket/flush', body: 'x'.repeat(65_537) });
    expect(status).toBe(413);
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
  });

  it.each(['192.0.2.7', '2001:db8::1', '', 'unknown'])(
    'is judged by the real peer: "%s" is a stranger',
    async (remoteAddress) => {
      expect((await forward({ remoteAddress })).status).toBe(403);
    },
  );

  it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1'])(
    'is judged by the real peer: %s is loopback',
    async (remoteAddress) => {
      expect((await forward({ remoteAddress })).status).toBe(200);
    },
  );

  it('keeps the headers that access is judged by', async () => {
    const headers = { host: '127.0.0.1:8080', 'x-forwarded-for': '127.0.0.1' };
    expect((await forward({ headers })).status).toBe(403);
    expect((await forward({ headers: { host: 'evil.example' } })).status).toBe(403);
    expect((await forward({ headers: { host: '127.0.0.1', origin: 'http://evil.example' } })).status).toBe(403);
  });

  it('may lack headers, or hold undefined ones and lists', async () => {
    expect((await forward({ headers: {} })).status).toBe(200);
    expect((await forward({ headers: { host: undefined, 'set-cookie': ['a=1', 'b=2'] } })).status).toBe(200);
  });

  it.each(['http://[', 'http://evil.example:99999/api/websocket/status'])(
    'with the target "%s" is answered 400',
    async (url) => {
      const { status, body } = await forward({ url });
      expect(status).toBe(400);
      expect(JSON.parse(body)).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
    },
  );

  it.each(['//api/websocket/status', '/api/websocket/status#x', 'http://127.0.0.1:8080/api/websocket/status', '*', ''])(
    'with the target "%s" is answered somehow',
    async (url) => {
      expect([200, 400, 404]).toContain((await forward({ url })).status);
    },
  );

  it('with a method that HTTP does not know is answered, not thrown', async () => {
    const { status } = await forward({ method: 'BREW' });
    expect([400, 404, 405]).toContain(status);
  });
});

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Refusal } from '../../src/admin/access.ts';
import { createAdminApp } from '../../src/admin/admin-app.ts';
import type { ConnectionRow } from '../../src/admin/admin-context.ts';
import { CONNECTION_SORTS } from '../../src/admin/connection-order.ts';
import { machineOf } from '../support/admin-answers.ts';
import { collectingLogger } from '../support/collected-lines.ts';
import { FakeAdminContext, sourceState } from '../support/fake-admin-context.ts';

const READS = ['status', 'stats', 'health', 'metrics', 'connections'] as const;
let context: FakeAdminContext;
let log: ReturnType<typeof collectingLogger>;
let app: FastifyInstance;

beforeEach(() => open());
afterEach(() => app.close());

function open(...options: ConstructorParameters<typeof FakeAdminContext>): void {
  context = new FakeAdminContext(...options);
  context.sourceStates = [sourceState()];
  log = collectingLogger();
  app = createAdminApp(machineOf(context), context.config.admin.token, log);
}

const get = (path: string) => app.inject(`/api/websocket/${path}`);

function row(fields: Partial<ConnectionRow> & { id: string }): ConnectionRow {
  return {
    shard: 0,
    remoteAddress: '192.0.2.1',
    connectedAt: 0,
    lastActivity: 0,
    messagesSent: 0,
    bytesSent: 0,
    errors: 0,
    pendingBytes: 0,
    filters: 0,
    channels: 0,
    state: 'open',
    lane: 'live',
    lagMs: 0,
    pendingMessages: 0,
    merged: 0,
    dropped: 0,
    ...fields,
  };
}

describe('GET /api/websocket/status', () => {
  it('tells availability, port, clients and endpoint (T61)', async () => {
    context.block(0).set('connectionsOpen', 2);
    context.block(1).set('connectionsOpen', 3);
    const reply = await get('status');
    expect(reply.statusCode).toBe(200);
    expect(reply.json()).toMatchObject({ status: 'available', port: 8080, clients: 5, endpoint: '/ws' });
  });

  it('is unavailable while the gateway does not run', async () => {
    context.isRunning = false;
    expect((await get('status')).json()).toMatchObject({ status: 'unavailable' });
  });
});

describe('GET /api/websocket/stats', () => {
  it('has ConnectionStats at the top and the rest beside it (T62)', async () => {
    context.block(0).add('connectionsAccepted', 4);
    context.block(1).addDeliveries(0, 5, 10, 2_000);
    context.error = { message: 'x', timestamp: 1 };
    const stats = (await get('stats')).json();
    expect(stats).toMatchObject({
      totalConnections: 4,
      activeConnections: 0,
      totalSubscriptions: 0,
      averageConnectionDuration: 0,
      messagesForwarded: 0,
      errorsEncountered: 0,
      lastActivity: context.startedAtMs,
      version: '1.2.3',
      pool: { totalConnections: 4, averageLatency: 2 },
      delivery: { delivered: 0, merged: 0, pending: 0, resumes: { accepted: 0, refused: 0 } },
      latency: { recent: { count: 5 }, total: { count: 5 }, byType: { trade: { averageMs: 2 }, depth: { count: 0 } } },
      rates: { messagesPerSecond: 5, errorRate: 0 },
      shards: [
        { index: 0, status: 'running' },
        { index: 1, status: 'running' },
      ],
      ring: { capacityBytes: 1024 },
      dataFlow: { totalProcessed: 0 },
      sources: [{ name: 'simulator', status: 'active' }],
      memoryPressure: { stage: 0, steps: { trim: 0, refuse: 0 } },
    });
  });
});

describe('GET /api/websocket/health', () => {
  it.each([
    ['healthy', 200, () => {}],
    ['degraded', 200, () => (context.shardStates[0]!.status = 'restarting')],
    ['unhealthy', 503, () => (context.isRunning = false)],
  ])('when %s answers %d', async (status, code, make) => {
    make();
    const reply = await get('health');
    expect({ code: reply.statusCode, status: reply.json().status }).toEqual({ code, status });
  });
});

describe('GET /api/websocket/metrics', () => {
  it('answers Prometheus text', async () => {
    const reply = await get('metrics');
    expect(reply.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(reply.body).toMatch(/^# HELP tickcast_connections_open .+\n# TYPE tickcast_connections_open gauge\n/m);
  });
});

describe('GET /api/websocket/connections', () => {
  it('gives the newest 100 where nothing is said', async () => {
    context.rows = Array.from({ length: 150 }, (_, n) => row({ id: `c${n}`, connectedAt: n }));
    context.block().set('connectionsOpen', 150);
    const { connections, ...rest } = (await get('connections')).json();
    expect(rest).toMatchObject({ total: 150, limit: 100, sort: 'connectedAt', silentShards: [] });
    expect(connections.map(({ connectedAt }: ConnectionRow) => connectedAt)).toEqual(
      Array.from({ length: 100 }, (_, n) => 149 - n),
    );
  });

  it.each(CONNECTION_SORTS)('orders by %s, the highest first', async (sort) => {
    context.rows = [3, 9, 1].map((value) => row({ id: `c${value}`, [sort]: value }));
    const { connections } = (await get(`connections?sort=${sort}&limit=2`)).json();
    expect(connections.map(({ id }: ConnectionRow) => id)).toEqual(['c9', 'c3']);
    expect(context.asked).toEqual([{ limit: 2, sort }]);
  });

  it('takes lag for lagMs', async () => {
    context.rows = [3, 9].map((lagMs) => row({ id: `c${lagMs}`, lagMs }));
    const answer = (await get('connections?sort=lag')).json();
    expect(answer).toMatchObject({ sort: 'lagMs', connections: [{ id: 'c9' }, { id: 'c3' }] });
    expect(context.asked).toEqual([{ limit: 100, sort: 'lagMs' }]);
  });

  it('names the shards that did not answer', async () => {
    context.silentShards = [1];
    expect((await get('connections')).json()).toMatchObject({ connections: [], silentShards: [1] });
  });

  it.each(['1', '1000'])('takes limit=%s', async (limit) => {
    expect((await get(`connections?limit=${limit}`)).json()).toMatchObject({ limit: Number(limit) });
  });

  it.each(['0', '1001', '-1', '1.5', 'ten', '', '1e3', '99999999999999', '%00', '1&limit=2'])(
    'refuses limit=%s and says what is allowed',
    async (limit) => {
      const reply = await get(`connections?limit=${limit}`);
      expect(reply.statusCode).toBe(400);
      expect(reply.json()).toMatchObject({
        error: { code: 'INVALID_REQUEST', detail: { parameter: 'limit', allowed: 'a whole number from 1 to 1000' } },
      });
      expect(context.asked).toEqual([]);
    },
  );

  it.each(['', 'id', 'CONNECTEDAT', '__proto__', 'x'.repeat(5_000)])('refuses sort=%s by name', async (sort) => {
    const reply = await get(`connections?sort=${sort}`);
    expect(reply.statusCode).toBe(400);
    expect(reply.json()).toMatchObject({
      error: { detail: { parameter: 'sort', allowed: expect.stringContaining('bytesSent') } },
    });
    expect(reply.body.length).toBeLessThan(1_000);
  });
});

describe('POST /api/websocket/flush', () => {
  it.each([
    ['nothing', {}],
    ['an empty form', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: '' }],
    ['JSON', { payload: { all: true } }],
    ['broken JSON', { headers: { 'content-type': 'application/json' }, payload: '{' }],
    ['bytes without a type', { payload: Buffer.from([0, 255]) }],
  ])('flushes once with %s for a body', async (_what, request) => {
    const reply = await app.inject({ method: 'POST', url: '/api/websocket/flush', ...request });
    expect({ code: reply.statusCode, body: reply.json() }).toMatchObject({
      code: 200,
      body: { flushed: 7, silentShards: [] },
    });
    expect(context.flushes).toBe(1);
  });

  it('refuses a body over 64 KiB', async () => {
    const reply = await app.inject({ method: 'POST', url: '/api/websocket/flush', payload: 'x'.repeat(64 * 1024 + 1) });
    expect(reply.statusCode).toBe(413);
    expect(reply.json()).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
    expect(context.flushes).toBe(0);
  });

  it('does nothing for a page of another site', async () => {
    const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    const reply = await app.inject({ method: 'POST', url: '/api/websocket/flush', headers });
    expect(reply.statusCode).toBe(403);
    expect(reply.json()).toMatchObject({ error: { code: 'UNAUTHORIZED', detail: { reason: 'crossOrigin' } } });
    expect(context.flushes).toBe(0);
  });
});

const ALONE = { instances: [{ process: 0, pid: 4711, state: 'answered' }], silentInstances: [] };

describe('the scope of a request', () => {
  const PATHS = [...READS, 'flush'] as const;
  const ask = (path: string, query: string) =>
    app.inject({ method: path === 'flush' ? 'POST' : 'GET', url: `/api/websocket/${path}${query}` });

  it.each(PATHS)('may be the machine or the instance, and is the machine where nothing is said: %s', async (path) => {
    for (const query of ['', '?scope=machine', '?scope=instance']) {
      const reply = await ask(path, query);
      expect(reply.statusCode).toBe(200);
      if (path !== 'metrics') expect(reply.json()).toMatchObject(ALONE);
    }
  });

  it.each(PATHS)('is nothing else, and the answer says what it may be: %s', async (path) => {
    for (const given of ['', 'all', 'MACHINE', '__proto__', 'x'.repeat(5_000)]) {
      const reply = await ask(path, `?scope=${given}`);
      expect(reply.statusCode).toBe(400);
      expect(reply.json()).toMatchObject({
        error: { code: 'INVALID_REQUEST', detail: { parameter: 'scope', allowed: 'one of machine, instance' } },
      });
      expect(reply.body.length).toBeLessThan(1_000);
    }
    expect({ flushes: context.flushes, asked: context.asked }).toEqual({ flushes: 0, asked: [] });
  });
});

describe('a parameter that there is not', () => {
  it.each([
    ['status?scop=instance', 'scop', 'one of scope'],
    ['metrics?limit=5', 'limit', 'one of scope'],
    ['connections?limit=5&sorted=lag', 'sorted', 'one of scope, limit, sort'],
  ])('is refused by name, with those that there are: %s', async (path, parameter, allowed) => {
    const reply = await get(path);
    expect(reply.statusCode).toBe(400);
    expect(reply.json()).toMatchObject({ error: { code: 'INVALID_REQUEST', detail: { parameter, allowed } } });
  });
});

describe('every read', () => {
  it.each(READS)('answers HEAD like GET, without the body: %s', async (path) => {
    const [whole, head] = [await get(path), await app.inject({ method: 'HEAD', url: `/api/websocket/${path}` })];
    expect(head.statusCode).toBe(whole.statusCode);
    expect(head.headers['content-type']).toBe(whole.headers['content-type']);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(0);
    expect(head.body).toBe('');
  });

  it.each(READS)('is not kept by caches: %s', async (path) => {
    expect((await get(path)).headers['cache-control']).toBe('no-store');
  });
});

describe('what the API does not know', () => {
  it.each([
    '/api/websocket',
    '/api/websocket/stat',
    '/api/websocket/stats/x',
    '/',
    '/ws',
    '/api/websocket/__proto__',
    '/api/../x',
  ])('at %s is 404', async (url) => {
    const reply = await app.inject(url);
    expect(reply.statusCode).toBe(404);
    expect(reply.json()).toMatchObject({ error: { code: 'NOT_FOUND', message: expect.any(String) } });
  });

  it.each([
    ['POST', 'stats', 'GET, HEAD'],
    ['DELETE', 'connections', 'GET, HEAD'],
    ['OPTIONS', 'health', 'GET, HEAD'],
    ['PROPFIND', 'metrics', 'GET, HEAD'],
    ['GET', 'flush', 'POST'],
    ['HEAD', 'flush', 'POST'],
    ['PUT', 'flush?x=1', 'POST'],
  ])('is %s %s: 405, and it says what is allowed', async (method, path, allow) => {
    const reply = await app.inject({ method: method as 'GET', url: `/api/websocket/${path}` });
    expect({ code: reply.statusCode, allow: reply.headers.allow }).toEqual({ code: 405, allow });
    if (method !== 'HEAD') expect(reply.json()).toMatchObject({ error: { code: 'METHOD_NOT_ALLOWED' } });
    expect(context.flushes).toBe(0);
  });

  it('is a path with a broken escape: 400', async () => {
    const reply = await app.inject('/api/websocket/%zz');
    expect(reply.statusCode).toBe(400);
    expect(reply.json()).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
  });
});

describe('a handler that fails', () => {
  it('answers 500 without telling why, and logs why', async () => {
    context.flush = async () => {
      throw new Error('secret inside');
    };
    const reply = await app.inject({ method: 'POST', url: '/api/websocket/flush' });
    expect(reply.statusCode).toBe(500);
    expect(reply.json()).toEqual({
      error: { code: 'REQUEST_FAILED', message: 'The gateway could not answer the request' },
    });
    expect(log.lines).toMatchObject([
      { level: 'error', message: 'WebSocket admin request failed', fields: { method: 'POST' } },
    ]);
    expect((log.lines[0]!.fields.err as Error).message).toBe('secret inside');
  });
});

describe('strangers', () => {
  const stranger = { remoteAddress: '192.0.2.7' };

  it.each([...READS, 'nothing-here'])('get no answer at %s', async (path) => {
    const reply = await app.inject({ url: `/api/websocket/${path}`, ...stranger });
    expect(reply.statusCode).toBe(403);
    expect(reply.headers['www-authenticate']).toBeUndefined();
    expect(reply.json()).toMatchObject({ error: { code: 'UNAUTHORIZED', detail: { reason: 'notLoopback' } } });
  });

  it('cannot flush', async () => {
    const reply = await app.inject({ method: 'POST', url: '/api/websocket/flush', ...stranger });
    expect({ code: reply.statusCode, flushes: context.flushes }).toEqual({ code: 403, flushes: 0 });
  });

  it('are asked for the token where there is one', async () => {
    await app.close();
    open({ admin: { token: 's3cret' } });
    const bare = await app.inject({ url: '/api/websocket/stats', ...stranger });
    expect(bare.statusCode).toBe(401);
    expect(bare.headers['www-authenticate']).toBe('Bearer realm="tickcast"');
    const wrong = await app.inject({
      url: '/api/websocket/stats',
      ...stranger,
      headers: { authorization: 'Bearer no' },
    });
    expect(wrong.statusCode).toBe(401);
    expect(wrong.headers['www-authenticate']).toBe('Bearer realm="tickcast", error="invalid_token"');
    const right = await app.inject({
      url: '/api/websocket/stats',
      ...stranger,
      headers: { authorization: 'Bearer s3cret' },
    });
    expect(right.statusCode).toBe(200);
    expect(right.body).not.toContain('s3cret');
  });
});

describe('docs/operation.md', () => {
  const text = readFileSync(new URL('../../docs/operation.md', import.meta.url), 'utf8');

  it('lists every path with its method, and no other', async () => {
    const { paths } = (await app.inject('/')).json().error.detail;
    const listed = [...text.matchAll(/^\| `(\/api\/[^`]+)` \| (GET|POST) \|/gm)].map(([, path, method]) => ({
      path,
      method,
    }));
    expect(listed.map(({ path }) => path).sort()).toEqual(paths.sort());
    for (const { path, method } of listed) {
      expect((await app.inject({ method: method as 'GET', url: path! })).statusCode).toBe(200);
    }
  });

  it('names the orders of connections and the reasons of a refusal', () => {
    const reasons: Record<Refusal['reason'], true> = {
      notLoopback: true,
      forwarded: true,
      hostName: true,
      crossOrigin: true,
      invalidToken: true,
    };
    for (const name of [...CONNECTION_SORTS, ...Object.keys(reasons)]) expect(text).toContain(`\`${name}\``);
  });
});

describe('a port of its own', () => {
  it('answers over TCP', async () => {
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const reply = await fetch(`${url}/api/websocket/status`);
    expect(reply.status).toBe(200);
    expect(await reply.json()).toMatchObject({ status: 'available' });
    const flush = await fetch(`${url}/api/websocket/flush`, { method: 'POST' });
    expect(await flush.json()).toMatchObject({ flushed: 7, silentShards: [] });
    const forwarded = await fetch(`${url}/api/websocket/status`, { headers: { 'x-forwarded-for': '127.0.0.1' } });
    expect(forwarded.status).toBe(403);
  });

  it('answers what is not HTTP with 400', async () => {
    await app.listen({ port: 0, host: '127.0.0.1' });
    const socket = connect((app.server.address() as { port: number }).port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.end('hello\r\n\r\n');
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*\{"error":\{"code":"INVALID_REQUEST"/);
  });

  it('closes at once, with connections kept alive', async () => {
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    await (await fetch(`${url}/api/websocket/status`)).text();
    await app.close();
    await expect(fetch(`${url}/api/websocket/status`)).rejects.toThrow();
  });
});

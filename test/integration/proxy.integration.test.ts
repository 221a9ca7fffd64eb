import { describe, expect, it } from 'vitest';
import type { ConnectionRow } from '../../src/admin/admin-context.ts';
import { askHttp, readAdmin } from '../support/admin-api.ts';
import { startOldServer } from '../support/plain-server.ts';
import { type Changes, startHaproxy, startNginx } from '../support/proxies.ts';
import { framesIn, RawClient } from '../support/raw-client.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway, trade } from '../support/test-gateway.ts';

const TRUSTED = { server: { trustProxy: ['127.0.0.1'] } };
/** Nobody listens there: port 1 is reserved, and below what is handed out. */
const NOBODY = 1;
const PATIENCE_MS = 10_000;
const TOKEN = 's3cret-t0ken';

const PROXIES = [
  {
    name: 'nginx',
    start: startNginx,
    /** The admin API is passed on too, as in a configuration with a mistake. */
    routesApi: {
      'location /api/ {\n            return 404;': `location /api/ {
            proxy_pass http://gateway;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`,
    },
    shortTimeouts: { '75s': '1s' },
  },
  {
    name: 'HAProxy',
    start: startHaproxy,
    routesApi: { 'unless { path /ws /health }': 'unless { path /ws /health } or { path_beg /api/ }' },
    shortTimeouts: { '75s': '1s' },
  },
] as const satisfies readonly { name: string; start: unknown; routesApi: Changes; shortTimeouts: Changes }[];

/** A client at an address of its own: all of 127.0.0.0/8 is this machine. */
async function openFrom(localAddress: string, port: number, headers: Record<string, string> = {}): Promise<TestClient> {
  const client = new TestClient(`ws://127.0.0.1:${port}/ws?subscription=none`, { localAddress, headers });
  await client.until(() => client.closed ?? client.received[0], 'a welcome or a close');
  return client;
}

/** Addresses of the open connections, in order. */
async function addressesAt(port: number): Promise<string[]> {
  const { connections } = await readAdmin<{ connections: ConnectionRow[] }>(port, 'connections');
  return connections.map(({ remoteAddress }) => remoteAddress).toSorted();
}

describe.each(PROXIES)('behind $name', ({ start, routesApi, shortTimeouts }) => {
  it('a client gets the same bytes as one that is connected directly', async () => {
    const { port, publish } = await startGateway();
    const proxy = await start({ gateway: port, old: NOBODY, share: 100 });
    const clients = await Promise.all([RawClient.upgraded(port, '/ws'), RawClient.upgraded(proxy.port, '/ws')]);
    for (const client of clients) await client.until(() => framesIn(client.received).length === 1, 'a welcome');
    for (let n = 0; n < 3_000; n++) publish({ ...trade(`S${n % 7}`, n), note: 'ö'.repeat(n % 500) });
    for (const client of clients) await client.until(() => framesIn(client.received).length === 3_001, 'all trades');
    const [direct, proxied] = clients.map(({ received }) => received.subarray(received.indexOf('{"type":"trade"') - 4));
    expect(direct!.length).toBeGreaterThan(1_000_000);
    expect(proxied!.equals(direct!)).toBe(true);
    for (const client of clients) client.destroy();
  });

  it('a client is known, and counted, by its own address, whatever it says of itself', async () => {
    const { port, lines } = await startGateway({ ...TRUSTED, shards: 2, limits: { connectionsPerIp: 2 } });
    const proxy = await start({ gateway: port, old: NOBODY, share: 100 });
    const forged = { 'X-Forwarded-For': '9.9.9.9, 127.0.0.1', Forwarded: 'for=9.9.9.9', 'X-Real-IP': '9.9.9.9' };
    await openFrom('127.0.0.2', proxy.port);
    await openFrom('127.0.0.2', proxy.port, forged);
    await openFrom('127.0.0.3', proxy.port);
    const third = await openFrom('127.0.0.2', proxy.port);
    const fourth = await openFrom('127.0.0.2', proxy.port, forged);
    for (const { closed } of [third, fourth]) {
      expect(closed).toEqual({ code: 1008, reason: 'Too many connections from this address' });
    }
    const direct = await openFrom('127.0.0.4', port, forged);
    expect(await addressesAt(port)).toEqual(['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.4']);
    const logged = lines.filter(({ message }) => message === 'WebSocket connection refused');
    expect(logged.map(({ fields }) => fields.remoteAddress)).toEqual(['127.0.0.2', '127.0.0.2']);
    // A place that has become free is free to the same address.
    await direct.close();
    await expect.poll(() => addressesAt(port), { timeout: PATIENCE_MS }).not.toContain('127.0.0.4');
    expect((await openFrom('127.0.0.4', port)).closed).toBeUndefined();
    expect((await openFrom('127.0.0.4', port)).closed).toBeUndefined();
    expect((await openFrom('127.0.0.4', port)).closed?.code).toBe(1008);
  });

  it('a client is known by the address of the proxy where that is not trusted', async () => {
    const { port } = await startGateway({ server: { trustProxy: ['127.0.0.9', '10.0.0.0/8'] } });
    const proxy = await start({ gateway: port, old: NOBODY, share: 100 });
    await openFrom('127.0.0.2', proxy.port);
    expect(await addressesAt(port)).toEqual(['127.0.0.1']);
  });

  it('the admin API is not there, and where a mistake lets it through, it asks for the token', async () => {
    const { port } = await startGateway({ ...TRUSTED, admin: { token: TOKEN } });
    const open = await startGateway(TRUSTED);
    const shipped = await start({ gateway: port, old: NOBODY, share: 100 });
    const mistaken = await start({ gateway: port, old: NOBODY, share: 100, changes: routesApi });
    const openly = await start({ gateway: open.port, old: NOBODY, share: 100, changes: routesApi });
    const status = async (at: number, headers: Record<string, string> = {}) =>
      (await askHttp(at, '/api/websocket/status', { headers })).status;
    const asked = { 'X-Forwarded-For': '127.0.0.1' };
    expect([await status(shipped.port), await status(shipped.port, { Authorization: `Bearer ${TOKEN}` })]).toEqual([
      404, 404,
    ]);
    expect([await status(mistaken.port), await status(mistaken.port, asked)]).toEqual([401, 401]);
    expect([await status(openly.port), await status(openly.port, asked)]).toEqual([403, 403]);
    expect(await status(mistaken.port, { Authorization: 'Bearer wrong' })).toBe(401);
    expect(await status(mistaken.port, { Authorization: `Bearer ${TOKEN}` })).toBe(200);
    expect([await status(port), await status(open.port)]).toEqual([200, 200]);
  });

  it('GET /health is for everybody, and nothing else is there', async () => {
    const { port } = await startGateway(TRUSTED);
    const proxy = await start({ gateway: port, old: NOBODY, share: 100 });
    const { status, text } = await askHttp(proxy.port, '/health');
    expect([status, JSON.parse(text)]).toMatchObject([200, { status: 'healthy', service: 'tickcast' }]);
    expect((await askHttp(proxy.port, '/')).status).toBe(404);
    expect((await askHttp(proxy.port, '/ws')).status).toBe(426);
  });

  it('an idle connection outlives the time-out of the proxy where there are heartbeats, and only there', async () => {
    const { port } = await startGateway({ heartbeat: { intervalMs: 160, timeoutMs: 60_000 } });
    const old = await startOldServer();
    const proxy = await start({ gateway: port, old: old.port, share: 0, changes: shortTimeouts });
    const silent = await openFrom('127.0.0.2', proxy.port);
    await proxy.setShare(100);
    const beating = await openFrom('127.0.0.2', proxy.port);
    await beating.until(() => beating.pings > 0, 'a PING');
    expect(await silent.untilClosed()).toMatchObject({ code: 1006 });
    const pings = beating.pings;
    await beating.until(() => beating.pings > pings + 8, 'more of them');
    expect(beating.closed).toBeUndefined();
    await beating.settle();
  });

  it('close codes come through, both ways', async () => {
    const { gateway, port, lines } = await startGateway();
    const proxy = await start({ gateway: port, old: NOBODY, share: 100 });
    const leaving = await openFrom('127.0.0.2', proxy.port);
    leaving.socket.close(4001, 'bye');
    expect(await leaving.untilClosed()).toEqual({ code: 4001, reason: 'bye' });
    const closes = () => lines.filter(({ message }) => message === 'WebSocket connection closed');
    await leaving.until(() => closes().length > 0, 'the close');
    expect(closes()[0]!.fields.code).toBe(4001);
    const staying = await openFrom('127.0.0.2', proxy.port);
    await gateway.stop();
    expect(await staying.untilClosed()).toEqual({ code: 1001, reason: 'Server shutting down' });
  });
});

describe('behind two proxies', () => {
  it('a client is known by its own address where both are trusted', async () => {
    const { port } = await startGateway(TRUSTED);
    const inner = await startNginx({ gateway: port, old: NOBODY, share: 100 });
    const outer = await startHaproxy({ gateway: inner.port, old: NOBODY, share: 100 });
    await openFrom('127.0.0.5', outer.port, { 'X-Forwarded-For': '9.9.9.9' });
    expect(await addressesAt(port)).toEqual(['127.0.0.5']);
  });
});

describe('behind a proxy that speaks RFC 7239', () => {
  it('a client is known by its own address, and by that of the proxy where the header says nothing, which is counted', async () => {
    const { port, lines } = await startGateway({ ...TRUSTED, shards: 2, log: { level: 'debug' } });
    for (const Forwarded of ['for="[2001:DB8::7]:4711";proto=https', 'for=_hidden', 'for="']) {
      await openFrom('127.0.0.1', port, { Forwarded });
    }
    expect(await addressesAt(port)).toEqual(['127.0.0.1', '127.0.0.1', '2001:db8::7']);
    const { text } = await askHttp(port, '/api/websocket/metrics');
    expect(text).toContain('\ntickcast_forwarding_headers_unusable_total 2\n');
    const unusable = lines.filter(({ message }) => message === 'WebSocket forwarding header names no client');
    expect(unusable.map(({ level, fields }) => [level, fields.peer])).toEqual([
      ['debug', '127.0.0.1'],
      ['debug', '127.0.0.1'],
    ]);
  });
});

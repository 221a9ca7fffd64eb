import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/config/version.ts';
import { GatedChannel } from '../dataflow/test-channels.ts';
import { type AdminRequest, askHttp } from '../support/admin-api.ts';
import { RawClient } from '../support/raw-client.ts';
import { startGateway, trade } from '../support/test-gateway.ts';

const PATIENCE_MS = 10_000;

/** Enough, each on a connection of its own, to reach every one of a few shards. */
const ASKED = 16;

async function healthOf(port: number, request: AdminRequest = {}) {
  const { status, text } = await askHttp(port, '/health', request);
  return `${status} ${(JSON.parse(text) as { status: string }).status}`;
}

describe('GET /health', () => {
  it('says to anybody, from every shard, how the gateway is, and nothing else', async () => {
    const { port } = await startGateway({ shards: 3, admin: { token: 's3cret' } });
    const headers = { 'X-Forwarded-For': '203.0.113.7', Host: 'gateway.example', Origin: 'https://a.example' };
    const askedMs = Date.now();
    for (let n = 0; n < ASKED; n++) {
      const { status, headers: answered, text } = await askHttp(port, '/health?from=balancer', { headers });
      const { timestamp, ...rest } = JSON.parse(text) as Record<string, string>;
      expect([status, rest]).toEqual([200, { status: 'healthy', version: VERSION, service: 'tickcast' }]);
      expect(Date.parse(timestamp!)).toBeGreaterThanOrEqual(askedMs);
      expect(answered).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-store',
        'content-length': String(text.length),
      });
    }
  });

  it('answers HEAD without a body and other methods not at all', async () => {
    const { port } = await startGateway();
    expect(await askHttp(port, '/health', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    const { status, headers, text } = await askHttp(port, '/health', { method: 'POST', body: 'x' });
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'METHOD_NOT_ALLOWED' } });
  });

  it('answers HTTP/1.0 without a host, as balancers ask', async () => {
    const { port } = await startGateway();
    const client = await RawClient.connected(port, 'GET /health HTTP/1.0\r\n\r\n');
    await client.untilEnded();
    expect(client.statusLine).toBe('HTTP/1.1 200 OK');
    client.destroy();
  });

  it('is 503 once new connections are refused for want of memory', async () => {
    const { port } = await startGateway({ shards: 2, memory: { thresholdMb: 1, checkIntervalMs: 10 } });
    await expect.poll(() => healthOf(port), { timeout: PATIENCE_MS }).toBe('503 unhealthy');
    for (let n = 0; n < ASKED; n++) expect(await healthOf(port)).toBe('503 unhealthy');
    expect((await askHttp(port, '/health', { method: 'HEAD' })).status).toBe(503);
  });

  it('is 200 where the gateway is degraded: it does its work', async () => {
    const { port } = await startGateway({ memory: { thresholdMb: 1, checkIntervalMs: 3_600_000 } });
    expect(await healthOf(port)).toBe('200 degraded');
  });

  it('is 503 from the first moment of a shutdown, while what was published is still delivered', async () => {
    const { gateway, port, publish } = await startGateway({ shards: 2 });
    const slow = new GatedChannel('slow');
    gateway.dataFlow.registerChannel(slow);
    publish(trade('A'));
    expect(await healthOf(port)).toBe('200 healthy');
    const stopped = gateway.stop();
    for (let n = 0; n < 4; n++) expect(await healthOf(port)).toBe('503 unhealthy');
    await slow.settle();
    await stopped;
    await expect(healthOf(port)).rejects.toThrow('ECONNREFUSED');
  });
});

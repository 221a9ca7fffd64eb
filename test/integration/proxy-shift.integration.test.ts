import { describe, expect, it } from 'vitest';
import { textOf } from '../docs/repository-files.ts';
import { readAdmin } from '../support/admin-api.ts';
import { type OldServer, startOldServer } from '../support/plain-server.ts';
import {
  type Changes,
  SHIFT_COMMANDS,
  type Share,
  startHaproxy,
  startNginx,
  type TestProxy,
} from '../support/proxies.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway, type TestGateway, trade } from '../support/test-gateway.ts';

const PATIENCE_MS = 10_000;
const PROXIES = [
  { name: 'nginx', start: startNginx },
  { name: 'HAProxy', start: startHaproxy },
] as const;

const AT_A_TIME = 20;
/** Memory that any process holds, so that a gateway soon refuses handshakes with 503. */
const SHORT_OF_MEMORY = { memory: { thresholdMb: 1, checkIntervalMs: 10 } };

function isTickcast(client: TestClient): boolean {
  return client.received[0]?.payload.proxyVersion !== undefined;
}

async function open(proxy: TestProxy): Promise<TestClient> {
  return TestClient.open(proxy.port);
}

function openAll(proxy: TestProxy, count: number): Promise<TestClient[]> {
  return Promise.all(Array.from({ length: count }, () => open(proxy)));
}

/** How many of so many new connections reach Tickcast. */
async function countOf(proxy: TestProxy, count: number): Promise<number> {
  return (await openAll(proxy, count)).filter(isTickcast).length;
}

/** Both servers send something, and everybody gets it who is connected to the one or the other. */
async function everybodyGets(clients: readonly TestClient[], { publish }: TestGateway, old: OldServer): Promise<void> {
  const before = clients.map(({ received }) => received.length);
  publish(trade('A'));
  old.broadcast();
  await Promise.all(
    clients.map((client, n) => client.until(() => client.closed ?? client.received.length > before[n]!, 'a trade')),
  );
  expect(clients.filter(({ closed }) => closed !== undefined)).toEqual([]);
}

describe.each(PROXIES)('with $name', ({ name, start }) => {
  it('new connections shift to Tickcast and back by the documented commands, and who is connected stays', async () => {
    const gateway = await startGateway({ shards: 2 });
    const old = await startOldServer();
    const proxy = await start({ gateway: gateway.port, old: old.port, share: 0 });
    const clients: TestClient[] = [];
    const shares: [Share, number][] = [];
    for (const share of [0, 10, 50, 100, 50, 10, 0] as const) {
      await proxy.setShare(share);
      const opened = await openAll(proxy, AT_A_TIME);
      shares.push([share, (opened.filter(isTickcast).length / AT_A_TIME) * 100]);
      clients.push(...opened);
      await everybodyGets(clients, gateway, old);
    }
    // By turns, so it is exact but for where the turns began.
    for (const [share, percent] of shares) {
      const slack = share === 0 || share === 100 ? 0 : 100 / AT_A_TIME;
      expect(Math.abs(percent - share), JSON.stringify(shares)).toBeLessThanOrEqual(slack);
    }
    expect(clients).toHaveLength(7 * AT_A_TIME);
  });

  it.each([0, 10, 50, 100] as const)('the page gives the command for %d percent', (share) => {
    expect(textOf('docs/proxy.md')).toContain(SHIFT_COMMANDS[name](share));
  });

  it('the other server stands in for one that is gone, until it is back', async () => {
    const { gateway, port } = await startGateway();
    const old = await startOldServer();
    const changes: Changes =
      name === 'nginx' ? { 'fail_timeout=5s': 'fail_timeout=1s' } : { 'inter 2s': 'inter 100ms' };
    const proxy = await start({ gateway: port, old: old.port, share: 50, changes });
    await expect.poll(() => countOf(proxy, 4), { timeout: PATIENCE_MS }).toBe(2);
    await gateway.stop();
    expect(await countOf(proxy, 6)).toBe(0);
    await startGateway({ server: { port } });
    await expect.poll(() => countOf(proxy, 2), { timeout: PATIENCE_MS }).toBe(1);
  });

  it('the server before stands in where Tickcast has all of it and is gone', async () => {
    const { gateway, port } = await startGateway();
    const old = await startOldServer();
    const changes: Changes = name === 'nginx' ? {} : { 'inter 2s': 'inter 100ms' };
    const proxy = await start({ gateway: port, old: old.port, share: 100, changes });
    expect(await countOf(proxy, 4)).toBe(4);
    await gateway.stop();
    const opens = async () => (await openAll(proxy, 2).catch(() => [])).map(isTickcast);
    await expect.poll(opens, { timeout: PATIENCE_MS }).toEqual([false, false]);
  });

  it('a handshake that Tickcast refuses with 503 goes to the other server at once', async () => {
    const { port } = await startGateway(SHORT_OF_MEMORY);
    await expect.poll(() => stageOf(port), { timeout: PATIENCE_MS }).toBe(4);
    const old = await startOldServer();
    const changes: Changes = name === 'nginx' ? {} : { 'default-server check': 'default-server' };
    const proxy = await start({ gateway: port, old: old.port, share: 50, changes });
    expect(await countOf(proxy, 6)).toBe(0);
  });
});

describe('the health check of HAProxy', () => {
  it('takes a Tickcast out that is not well, and one that is gone', async () => {
    const { gateway, port } = await startGateway(SHORT_OF_MEMORY);
    const old = await startOldServer();
    const changes = { 'inter 2s': 'inter 100ms' };
    const proxy = await startHaproxy({ gateway: port, old: old.port, share: 50, changes });
    const check = () => proxy.checkOf('tickcast');
    await expect.poll(check, { timeout: PATIENCE_MS }).toBe('DOWN L7STS/503');
    expect(await proxy.checkOf('old')).toBe('UP L7OK/200');
    expect(await countOf(proxy, 4)).toBe(0);
    await gateway.stop();
    await expect.poll(check, { timeout: PATIENCE_MS }).toMatch('DOWN L4CON');
    await startGateway({ server: { port } });
    await expect.poll(check, { timeout: PATIENCE_MS }).toBe('UP L7OK/200');
    expect(await countOf(proxy, 4)).toBe(2);
  });
});

async function stageOf(port: number): Promise<unknown> {
  const { memoryPressure } = await readAdmin<{ memoryPressure: { stage: number } }>(port, 'stats');
  return memoryPressure.stage;
}

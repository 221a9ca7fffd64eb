import { describe, expect, it } from 'vitest';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import { askHttp, readAdmin } from '../support/admin-api.ts';
import { FAILING_SHARD, failShard } from '../support/shard-failures.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway } from '../support/test-gateway.ts';
import { LoggedPublisher } from '../support/told-truth.ts';

const MIB = 1024 * 1024;
const PATIENT = { timeout: 15_000, interval: 25 };
const EACH = 3;

async function start(options: ConfigOverrides = {}) {
  const ring = { bytes: 4 * MIB };
  const { port, publish } = await startGateway({ shards: 2, ring, ...options }, { shardFile: FAILING_SHARD });
  return { port, source: new LoggedPublisher(publish) };
}

/** The shard that a client has landed on, which stands in its id. */
function shardOf({ received }: TestClient): number {
  return Number(String(received[0]!.payload.connectionId).split('_')[2]);
}

/** Clients that get nothing yet, at least `EACH` on each of two shards. */
async function clientsOnBoth(port: number): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  const on = (shard: number) => clients.filter((client) => shardOf(client) === shard).length;
  for (let tries = 0; tries < 200 && Math.min(on(0), on(1)) < EACH; tries++) {
    clients.push(await TestClient.open(port, '/ws?subscription=none'));
  }
  expect(Math.min(on(0), on(1))).toBeGreaterThanOrEqual(EACH);
  return clients;
}

function subscribe(client: TestClient, payload: object) {
  return client.ask({ type: 'subscribe', payload });
}

/** Lets a shard fail, and resolves when it is back. */
async function restartShard(port: number, shard: number): Promise<void> {
  failShard({ shard, kind: 'throw' });
  const states = async () =>
    (await readAdmin<{ shards: { status: string; restarts: number }[] }>(port, 'stats')).shards;
  await expect
    .poll(async () => (await states().catch(() => undefined))?.[shard], PATIENT)
    .toMatchObject({ status: 'running', restarts: 1 });
}

/** Publishes values of some topics, and then so many of others that the ring has been overwritten since. */
function fillRing(source: LoggedPublisher): void {
  source.publish('trade', 'RARE', { price: 1 });
  for (let price = 1; price <= 3; price++) source.publish('ticker', 'T', { price });
  source.publish('depth', 'D', { bids: [[10, 1]], asks: [[12, 1]], isSnapshot: true });
  source.publish('depth', 'D', {
    bids: [[11, 2]],
    asks: [
      [12, 0],
      [13, 1],
    ],
  });
  const body = 'x'.repeat(10_000);
  for (let n = 0; n < 1_000; n++) source.publish('trade', `S${n % 10}`, { body });
}

describe('a subscription with snapshot', () => {
  it('begins with the latest value of every topic on any shard, however long ago that was published', async () => {
    const { port, source } = await start();
    fillRing(source);
    const clients = await clientsOnBoth(port);
    await restartShard(port, 0);
    clients.push(...(await clientsOnBoth(port)));
    const open = clients.filter(({ closed }) => closed === undefined);
    expect(open.length).toBeGreaterThanOrEqual(2 * EACH);
    for (const client of open) {
      const { payload } = await subscribe(client, { snapshot: true });
      expect(payload).toMatchObject({ seq: expect.any(Number), snapshot: { topics: 13, missing: 0 } });
      await client.until(() => client.data.length >= 13, 'the latest values');
      const value = (symbol: string) => client.data.find((frame) => frame.payload.symbol === symbol)!;
      expect(value('RARE')).toMatchObject({ seq: 1, prevSeq: 0, snapshot: true, payload: { data: { price: 1 } } });
      expect(value('T')).toMatchObject({ seq: 4, snapshot: true, payload: { data: { price: 3 } } });
      expect(value('D').payload.data).toMatchObject({
        bids: [
          [11, 2],
          [10, 1],
        ],
        asks: [[13, 1]],
        isSnapshot: true,
      });
    }
    const last = source.publish('depth', 'D', { bids: [[11, 0]], asks: [] });
    for (const client of open) {
      await client.until(() => client.data.at(-1)?.seq === last, 'what comes next');
      expect(source.problemsOf(client)).toEqual([]);
      await client.close();
    }
  });

  it('counts what the ring had no room for, as the figures of the ring do', async () => {
    const { port, source } = await start();
    const body = 'x'.repeat(10_000);
    for (let n = 0; n < 200; n++) source.publish('trade', `RARE${n}`, { body });
    for (let n = 0; n < 500; n++) source.publish('trade', 'LOUD', { body });
    const client = await TestClient.open(port, '/ws?subscription=none');
    const { payload } = await subscribe(client, { snapshot: true });
    const { ring } = await readAdmin<{ ring: { latestValues: { carried: number; forgotten: number } } }>(port, 'stats');
    expect(ring.latestValues.forgotten).toBeGreaterThan(50);
    expect(ring.latestValues.carried).toBeGreaterThan(50);
    expect(payload.snapshot).toEqual({
      topics: 201 - ring.latestValues.forgotten,
      missing: ring.latestValues.forgotten,
    });
    const metrics = (await askHttp(port, '/api/websocket/metrics')).text;
    expect(metrics).toMatch(new RegExp(`^tickcast_latest_values_forgotten_total ${ring.latestValues.forgotten}$`, 'm'));
    expect(metrics).toMatch(new RegExp(`^tickcast_latest_values_carried_total ${ring.latestValues.carried}$`, 'm'));
    await client.close();
  });

  it('has the same values as requestSnapshot', async () => {
    const { port, source } = await start();
    fillRing(source);
    const client = await TestClient.open(port, '/ws?subscription=none');
    const { payload } = await client.ask({ type: 'requestSnapshot', payload: { symbols: ['RARE', 'T', 'D'] } });
    await subscribe(client, { symbols: ['RARE', 'T', 'D'], snapshot: true });
    await client.until(() => client.data.length === 3, 'three values');
    const bySymbol = (values: Record<string, unknown>[]) =>
      values.toSorted((a, b) => String(a.symbol).localeCompare(String(b.symbol)));
    expect(bySymbol(client.data.map((frame) => frame.payload))).toEqual(
      bySymbol(payload.data as Record<string, unknown>[]),
    );
    await client.close();
  });
});

describe('a client whose shard crashes', () => {
  it('goes on where it was on whichever shard takes it, in the same epoch, with all that was published meanwhile', async () => {
    const { port, source } = await start();
    const clients = await clientsOnBoth(port);
    const filter = { symbols: ['A', 'B'] };
    for (const client of clients) await subscribe(client, filter);
    for (let i = 0; i < 10; i++) for (const symbol of ['A', 'B', 'C']) source.publish('trade', symbol);
    for (const client of clients) await client.until(() => client.data.length === 20, 'the first trades');
    const lost = clients.filter((client) => shardOf(client) === 0);
    failShard({ shard: 0, kind: 'throw' });
    for (const client of lost) expect((await client.untilClosed()).code).toBe(1006);
    for (let i = 0; i < 10; i++) for (const symbol of ['A', 'B', 'C']) source.publish('trade', symbol);

    const seen = new Set<number>();
    for (const client of lost) {
      // The first come while the shard is down, the last when it is back.
      if (client === lost.at(-1)) {
        await expect
          .poll(async () => (await readAdmin(port, 'stats')).shards, PATIENT)
          .toMatchObject([{ status: 'running', restarts: 1 }, { restarts: 0 }]);
      }
      const again = await reopen(port, seen, client === lost.at(-1) ? 0 : undefined);
      expect(again.received[0]!.payload.epoch).toBe(client.received[0]!.payload.epoch);
      const resume = { epoch: client.received[0]!.payload.epoch, seq: client.data.at(-1)!.seq };
      const { payload } = await subscribe(again, { ...filter, resume });
      expect(payload).toMatchObject({ resumed: true, replayed: 20 });
      await again.until(() => again.data.length === 20, 'what was missed');
      expect(source.problemsOf(client, again)).toEqual([]);
    }
    expect(seen).toEqual(new Set([0, 1]));
    for (const client of clients.filter(({ closed }) => closed === undefined)) {
      await client.until(() => client.data.length === 40, 'everything at those that were not lost');
      expect(source.problemsOf(client)).toEqual([]);
    }
  });

  it('is told that it cannot where another gateway has taken the place of its own, and gets the values', async () => {
    const first = await start();
    const client = await TestClient.open(first.port, '/ws?subscription=none');
    await subscribe(client, {});
    first.source.publish('ticker', 'T', { price: 1 });
    await client.until(() => client.data.length === 1, 'a ticker');
    const second = await start();
    second.source.publish('ticker', 'T', { price: 2 });
    const again = await TestClient.open(second.port, '/ws?subscription=none');
    const resume = { epoch: client.received[0]!.payload.epoch, seq: 1 };
    expect((await subscribe(again, { resume })).payload).toMatchObject({
      resumed: false,
      reason: 'UNKNOWN_EPOCH',
      snapshot: { topics: 1, missing: 0 },
    });
    expect(await again.next('ticker')).toMatchObject({ snapshot: true, payload: { data: { price: 2 } } });
    await Promise.all([client.close(), again.close()]);
  });
});

/** Another connection, on the shard that is asked for or on any. */
async function reopen(port: number, seen: Set<number>, shard?: number): Promise<TestClient> {
  for (let tries = 0; tries < 200; tries++) {
    const client = await TestClient.open(port, '/ws?subscription=none').catch(() => undefined);
    if (client === undefined) continue;
    if (shard === undefined || shardOf(client) === shard) {
      seen.add(shardOf(client));
      return client;
    }
    await client.close();
  }
  throw new Error('no connection to that shard');
}

import { describe, expect, it } from 'vitest';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import { askHttp, readAdmin } from '../support/admin-api.ts';
import { type Received, TestClient } from '../support/test-client.ts';
import { startGateway } from '../support/test-gateway.ts';
import { LoggedPublisher } from '../support/told-truth.ts';

const MIB = 1024 * 1024;
const PATIENT = { timeout: 20_000, interval: 20 };
/** Larger than what two sockets hold in a few of them. */
const BULK = { body: 'x'.repeat(200_000) };

interface Row {
  id: string;
  lane: string;
  lagMs: number;
  pendingMessages: number;
  pendingBytes: number;
  merged: number;
  dropped: number;
}

async function start(options: ConfigOverrides = {}) {
  const { port, publish } = await startGateway({ ring: { bytes: 64 * MIB }, ...options });
  return { port, source: new LoggedPublisher(publish) };
}

function idOf({ received }: TestClient): string {
  return received[0]!.payload.connectionId as string;
}

/** How the gateway serves a client. */
async function rowOf(port: number, client: TestClient): Promise<Row> {
  const { connections } = await readAdmin<{ connections: Row[] }>(port, 'connections');
  return connections.find(({ id }) => id === idOf(client))!;
}

/** The client reads no more; resolves when it has been published enough for it to be behind. */
async function fallBehind(port: number, source: LoggedPublisher, client: TestClient): Promise<void> {
  client.socket.pause();
  const lane = async () => {
    source.publish('bulk', 'BULK', BULK);
    return (await rowOf(port, client)).lane;
  };
  await expect.poll(lane, PATIENT).toBe('behind');
}

/** The client reads again; resolves when it has caught up. */
async function catchUp(port: number, client: TestClient): Promise<void> {
  client.socket.resume();
  await expect.poll(async () => (await rowOf(port, client)).lane, PATIENT).toBe('live');
  await client.settle();
}

function bySymbol({ data }: TestClient, symbol: string): Received[] {
  return data.filter(({ payload }) => payload.symbol === symbol);
}

/** Sum of a metric over its labels, or over those that hold a text. */
async function metric(port: number, name: string, label = ''): Promise<number> {
  const { text } = await askHttp(port, '/api/websocket/metrics');
  const lines = text.split('\n').filter((line) => /^[^{ ]*/.exec(line)?.[0] === name && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Connections that were closed as slow consumers. */
function slowCloses(port: number): Promise<number> {
  return metric(port, 'tickcast_connections_closed_total', 'slowConsumer');
}

describe('a client that stops reading', () => {
  it('falls behind, gets what it missed merged by policy once it reads again, and is among the others then', async () => {
    const { port, source } = await start();
    const [slow, fast] = [await TestClient.open(port), await TestClient.open(port)];
    source.publish('depth', 'D', { bids: [[10, 1]], asks: [[12, 1]], isSnapshot: true });
    source.publish('ticker', 'T', { price: 0 });
    await slow.until(() => slow.data.length === 2, 'the first two');
    await fallBehind(port, source, slow);
    for (let i = 1; i <= 50; i++) {
      source.publish('trade', 'A', { price: i });
      source.publish('ticker', 'T', { price: i });
      source.publish('depth', 'D', { bids: [[10, i]], asks: [[12 + i, 1]] });
    }
    await fast.until(() => fast.data.length === source.seq, 'everything at the one that reads');
    expect(await rowOf(port, slow)).toMatchObject({ lane: 'behind', pendingMessages: expect.any(Number), dropped: 0 });
    expect((await rowOf(port, slow)).pendingMessages).toBeGreaterThanOrEqual(52);
    expect(await rowOf(port, fast)).toMatchObject({ lane: 'live', pendingMessages: 0, lagMs: 0, merged: 0 });
    expect(await metric(port, 'tickcast_connections_behind')).toBeLessThanOrEqual(1);

    await catchUp(port, slow);
    expect(bySymbol(slow, 'A').map(({ payload }) => (payload.data as { price: number }).price)).toEqual(
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    expect(bySymbol(slow, 'T')).toMatchObject([
      { payload: { data: { price: 0 } } },
      { merged: 49, payload: { data: { price: 50 } } },
    ]);
    const books = bySymbol(slow, 'D');
    expect(books).toMatchObject([{ prevSeq: 0 }, { merged: 49 }]);
    expect((books[1]!.payload.data as { bids: unknown }).bids).toEqual([[10, 50]]);
    expect(await rowOf(port, slow)).toMatchObject({
      lane: 'live',
      lagMs: 0,
      pendingMessages: 0,
      merged: 98,
      dropped: 0,
    });

    const last = source.publish('trade', 'A', { price: 51 });
    for (const client of [slow, fast]) await client.until(() => client.data.at(-1)?.seq === last, 'the last trade');
    expect([source.problemsOf(slow), source.problemsOf(fast)]).toEqual([[], []]);
    expect(slow.received.filter(({ type }) => type === 'gap')).toEqual([]);
    await Promise.all([slow.close(), fast.close()]);
  });

  it('is told what it will not get where more waits than may, and has the newest of what can be merged', async () => {
    const { port, source } = await start({ limits: { pendingMessages: 20 } });
    const [slow, fast] = [await TestClient.open(port), await TestClient.open(port)];
    await fallBehind(port, source, slow);
    for (let i = 1; i <= 100; i++) {
      source.publish('trade', 'A', { price: i });
      source.publish('ticker', 'T', { price: i });
    }
    await fast.until(() => fast.data.length === source.seq, 'everything at the one that reads');
    await catchUp(port, slow);
    const gaps = slow.received.filter(({ type }) => type === 'gap');
    const ofTrades = gaps.find(({ payload }) => payload.symbol === 'A')!;
    expect(ofTrades.payload).toMatchObject({ dataType: 'trade', reason: 'slow_consumer' });
    expect(bySymbol(slow, 'A')[0]!.prevSeq).toBe(ofTrades.payload.toSeq);
    expect(bySymbol(slow, 'A').length + (ofTrades.payload.count as number)).toBe(100);
    expect(bySymbol(slow, 'T').at(-1)).toMatchObject({ merged: 99, payload: { data: { price: 100 } } });
    const ledger = await slow.ask({ type: 'getLedger' });
    const dropped = gaps.reduce((sum, { payload }) => sum + (payload.count as number), 0);
    expect(ledger.payload).toMatchObject({
      state: 'live',
      published: source.seq,
      pending: 0,
      merged: 99,
      dropped: { slow_consumer: dropped },
    });
    expect([source.problemsOf(slow), source.problemsOf(fast)]).toEqual([[], []]);
    expect(await metric(port, 'tickcast_messages_dropped_total')).toBe(dropped);
    await Promise.all([slow.close(), fast.close()]);
  });

  it('goes through this as often as it likes, with filters and requests in between', async () => {
    const { port, source } = await start({ limits: { pendingMessages: 50 } });
    const client = await TestClient.open(port, '/ws?subscription=none');
    await client.ask({ type: 'subscribe', payload: { symbols: ['A', 'BULK'] } });
    const ids: string[] = [];
    for (let round = 0; round < 3; round++) {
      await fallBehind(port, source, client);
      ids.push(client.request({ type: 'getLedger' }));
      ids.push(client.request({ type: 'subscribe', payload: { symbols: `S${round}`, snapshot: true } }));
      for (let i = 0; i < 40; i++)
        for (const symbol of ['A', `S${round}`, 'NOBODY']) source.publish('trade', symbol, { round, i });
      ids.push(client.request({ type: 'unsubscribe', payload: { filterId: 'unknown' } }));
      await catchUp(port, client);
    }
    expect(client.received.filter(({ id }) => ids.includes(String(id)))).toHaveLength(ids.length);
    expect((await client.ask({ type: 'getLedger' })).payload).toMatchObject({ state: 'live', pending: 0 });
    expect(source.problemsOf(client)).toEqual([]);
    await client.close();
  });

  it('is closed 1013 when it has been behind for too long, and counted, while others get everything', async () => {
    const { port, source } = await start({ slow: { maxLagMs: 1_000 } });
    const [slow, fast] = [await TestClient.open(port), await TestClient.open(port)];
    await fallBehind(port, source, slow);
    expect(await slowCloses(port)).toBe(0);
    source.publish('trade', 'A');
    await expect.poll(() => slowCloses(port), PATIENT).toBe(1);
    expect((await readAdmin(port, 'stats')).errorsEncountered).toBe(1);
    await fast.until(() => fast.data.length === source.seq, 'everything at the one that reads');
    expect(source.problemsOf(fast)).toEqual([]);
    // Behind what it had left unread, it is told why.
    slow.socket.resume();
    expect(await slow.untilClosed()).toEqual({ code: 1013, reason: 'Slow consumer' });
    await fast.close();
  });

  it('comes back after that close and gets what it missed', async () => {
    const { port, source } = await start({ slow: { maxLagMs: 1_000 } });
    const slow = await TestClient.open(port, '/ws?subscription=none');
    const filter = { symbols: ['A', 'BULK'] };
    await slow.ask({ type: 'subscribe', payload: filter });
    await fallBehind(port, source, slow);
    for (let i = 0; i < 10; i++) source.publish('trade', 'A', { i });
    await expect.poll(() => slowCloses(port), PATIENT).toBe(1);
    slow.socket.resume();
    expect((await slow.untilClosed()).code).toBe(1013);
    const last = slow.data.at(-1)!;
    const resume = { epoch: slow.received[0]!.payload.epoch, seq: last.resumeSeq ?? last.seq };
    const again = await TestClient.open(port, '/ws?subscription=none');
    const reply = await again.ask({ type: 'subscribe', payload: { ...filter, resume } });
    expect(reply.payload).toMatchObject({ resumed: true, replayed: source.seq - Number(resume.seq) });
    await again.until(() => again.data.at(-1)?.seq === source.seq, 'the last of what was missed');
    expect(source.problemsOf(slow, again)).toEqual([]);
    expect(bySymbol(again, 'A').length + bySymbol(slow, 'A').length).toBe(10);
    await again.close();
  });

  it('and asks and asks is closed when the replies that it does not read are too many', async () => {
    const { port, source } = await start({ limits: { pendingBytes: 200_000, commandsPerSecond: 0 } });
    const slow = await TestClient.open(port, '/ws?subscription=none');
    source.publish('bulk', 'BULK', BULK);
    slow.socket.pause();
    await expect
      .poll(async () => {
        for (let i = 0; i < 5; i++) slow.send({ type: 'requestSnapshot', payload: {} });
        return slowCloses(port);
      }, PATIENT)
      .toBe(1);
    slow.socket.resume();
    expect(await slow.untilClosed()).toEqual({ code: 1013, reason: 'Slow consumer' });
  });
});

import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { askHttp, readAdmin } from '../support/admin-api.ts';
import { FAILING_SHARD, type FailureOrder, failShard } from '../support/shard-failures.ts';
import { clientsOnEach, PATIENT, shardFailures, shardOf, stats, untilBack } from '../support/shard-figures.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway, trade } from '../support/test-gateway.ts';
import { LoggedPublisher } from '../support/told-truth.ts';

const TWO = { shards: 2, limits: {} } as const;

describe('a shard that crashes', () => {
  it.each<FailureOrder['kind']>(['throw', 'reject', 'exit', 'heap'])(
    'by %s costs its own connections only, is logged, counted and back',
    async (kind) => {
      const started = await startGateway({ ...TWO, supervisor: { shardHeapMb: 32 } }, { shardFile: FAILING_SHARD });
      const { port, publish, lines } = started;
      const [lost, kept] = (await clientsOnEach(port, 2, 2)) as [TestClient[], TestClient[]];
      for (const client of kept) await client.ask({ type: 'subscribe', payload: { symbols: ['KEPT'] } });
      for (const client of lost) await client.ask({ type: 'subscribe', payload: { symbols: ['LOST'] } });

      failShard({ shard: 0, kind });
      for (const client of lost) expect((await client.untilClosed()).code).toBe(1006);
      publish(trade('KEPT', 1));
      for (const client of kept) await client.until(() => client.data.length === 1, 'data while the shard is down');

      await untilBack(started, 1);
      expect(shardFailures(lines)).toMatchObject([{ level: 'error', fields: { shard: 0, restarts: 1 } }]);
      await clientsOnEach(port, 2, 1);
      publish(trade('KEPT', 2));
      for (const client of kept) {
        await client.until(() => client.data.length === 2, 'data after the restart');
        expect(client.closed).toBeUndefined();
      }
      const metrics = (await askHttp(port, '/api/websocket/metrics')).text;
      expect(metrics).toMatch(/^tickcast_shard_restarts_total\{process="0",shard="0"\} 1$/m);
      expect(metrics).toMatch(/^tickcast_shard_restarts_total\{process="0",shard="1"\} 0$/m);
    },
  );

  it('shows in health while it is down, and no more once it is back', async () => {
    const options = { ...TWO, supervisor: { restartDelayMs: 1_500 } };
    const started = await startGateway(options, { shardFile: FAILING_SHARD });
    const { port } = started;
    expect(await readAdmin(port, 'health')).toMatchObject({ status: 'healthy' });
    failShard({ shard: 1, kind: 'throw' });
    await expect
      .poll(() => readAdmin(port, 'health').catch(() => undefined), PATIENT)
      .toMatchObject({
        status: 'degraded',
        reasons: expect.arrayContaining([expect.objectContaining({ check: 'shards', value: 1 })]),
        lastError: { message: expect.stringContaining('shard') },
      });
    await untilBack(started, 1);
    expect(((await readAdmin(port, 'health')) as { reasons: { check: string }[] }).reasons).not.toContainEqual(
      expect.objectContaining({ check: 'shards' }),
    );
  });

  it('gives back the places of its connections, filters and addresses', async () => {
    const limits = { connections: 12, connectionsPerIp: 12 };
    const started = await startGateway({ shards: 2, limits }, { shardFile: FAILING_SHARD });
    const { port } = started;
    const all = await Promise.all(Array.from({ length: 12 }, () => TestClient.open(port)));
    for (const client of all) await client.ask({ type: 'subscribe', payload: { symbols: ['X'] } });
    const lost = all.filter((client) => shardOf(client) === 0);
    expect(lost.length).toBeGreaterThan(0);
    failShard({ shard: 0, kind: 'throw' });
    for (const client of lost) await client.untilClosed();
    await untilBack(started, 1);
    const left = 12 - lost.length;
    expect(await stats(port)).toMatchObject({ activeConnections: left, totalSubscriptions: left });
    const again = await Promise.all(lost.map(() => TestClient.open(port)));
    expect(again).toHaveLength(lost.length);
    const oneTooMany = new TestClient(`ws://127.0.0.1:${port}/ws`);
    expect([1013, 1008]).toContain((await oneTooMany.untilClosed()).code);
    expect(await stats(port)).toMatchObject({ activeConnections: 12 });
  });

  it('waits twice as long before each restart of a loop', async () => {
    const started = await startGateway({ supervisor: { restartDelayMs: 20 } }, { shardFile: FAILING_SHARD });
    for (let crash = 1; crash <= 4; crash++) {
      failShard({ shard: 0, kind: 'throw' });
      await untilBack(started, crash);
    }
    expect(shardFailures(started.lines).map(({ fields }) => fields.delayMs)).toEqual([20, 40, 80, 160]);
  });

  it('delivers the first publication after a restart to whoever has come back by then', async () => {
    const started = await startGateway({}, { shardFile: FAILING_SHARD });
    const { port, publish } = started;
    for (let crash = 1; crash <= 3; crash++) {
      failShard({ shard: 0, kind: 'throw' });
      await untilBack(started, crash);
      const client = await TestClient.open(port);
      publish(trade('ONCE', crash));
      await client.until(() => client.data.length === 1, 'the one publication');
      await client.close();
    }
  });
});

describe('a start that fails', () => {
  const starting = (how: string) => {
    vi.stubEnv('TICKCAST_TEST_START', how);
    onTestFinished(() => void vi.unstubAllEnvs());
    const shardFile = new URL('../support/misstarting-shard.fixture.ts', import.meta.url);
    return startGateway({ shards: 2, supervisor: { startTimeoutMs: 1_500 } }, { shardFile });
  };

  it.each(['hangs:0', 'hangs:1', 'spins:1', 'throws:0', 'throws:1', 'returns:1'])(
    'with a shard that %s rejects with SHARD_START_FAILED',
    async (how) => {
      await expect(starting(how)).rejects.toMatchObject({ code: 'SHARD_START_FAILED' });
    },
  );

  it('with a shard file that does not load rejects with SHARD_START_FAILED', async () => {
    const shardFile = new URL('../support/no-such-file.ts', import.meta.url);
    await expect(startGateway({}, { shardFile })).rejects.toMatchObject({ code: 'SHARD_START_FAILED' });
  });

  it('rejects with PORT_IN_USE where another program listens', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    for (const server of [{ port }, { port, sharePort: true }]) {
      await expect(startGateway({ shards: 2, server })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    }
  });

  it('rejects with PORT_IN_USE where another gateway listens, unless both share the port', async () => {
    const alone = await startGateway({ shards: 1 });
    for (const sharePort of [false, true]) {
      await expect(startGateway({ server: { port: alone.port, sharePort } })).rejects.toMatchObject({
        code: 'PORT_IN_USE',
      });
    }
    const sharing = await startGateway({ server: { sharePort: true } });
    await expect(startGateway({ server: { port: sharing.port } })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    const second = await startGateway({ server: { port: sharing.port, sharePort: true } });
    expect(second.port).toBe(sharing.port);
  });
});

describe('a shard that the ring has run over', () => {
  it('tells every subscriber what it lost, gives it the newest value of every topic, and goes on', async () => {
    const started = await startGateway(
      { ring: { bytes: 4 * 1024 * 1024 }, limits: { payloadBytes: 262_144, pendingBytes: 0 } },
      { shardFile: FAILING_SHARD },
    );
    const { port } = started;
    const source = new LoggedPublisher(started.publish);
    const topics = Array.from({ length: 20 }, (_, n) => `T${n}`);
    const body = 'x'.repeat(10_000);
    const publish = (symbol: string, round: number) => source.publish('ticker', symbol, { round, body });
    const everything = await TestClient.open(port);
    const one = await TestClient.open(port, '/ws?subscription=none');
    await one.ask({ type: 'subscribe', payload: { symbols: ['T0'] } });
    for (const symbol of topics) publish(symbol, 0);
    await everything.until(() => everything.data.length === topics.length, 'the first values');

    failShard({ shard: 0, kind: 'block', blockMs: 1_500 });
    // Behind this reply's absence the shard stands still: what was sent before it is not answered for a while.
    await new Promise((resolve) => setTimeout(resolve, 300));
    // T0 moves first and then no more, so its newest value is overwritten in the ring as well.
    publish('T0', 1);
    const rounds = 50;
    for (let round = 1; round <= rounds; round++) for (const symbol of topics.slice(1)) publish(symbol, round);

    const newest = (client: TestClient) =>
      new Map(client.data.map(({ payload }) => [payload.symbol, (payload.data as { round: number }).round]));
    const wanted = new Map(topics.map((symbol) => [symbol, symbol === 'T0' ? 1 : rounds]));
    await everything.until(
      () => [...wanted].every(([symbol, round]) => newest(everything).get(symbol) === round),
      'newest values',
    );
    await one.until(() => newest(one).get('T0') === 1, 'the newest value of the topic that stands still');
    expect(one.data).toHaveLength(2);
    expect(one.received.filter(({ type }) => type === 'gap')).toEqual([]);

    const gaps = everything.received.filter(({ type }) => type === 'gap');
    expect(new Set(gaps.map(({ payload }) => payload.symbol))).toEqual(new Set(topics.slice(1)));
    for (const { payload } of gaps) expect(payload.reason).toBe('shard_lapped');
    // And it goes on as before.
    publish('T0', 2);
    for (const client of [everything, one]) {
      await client.until(() => newest(client).get('T0') === 2, 'the next value');
      expect(source.problemsOf(client)).toEqual([]);
    }

    const metrics = (await askHttp(port, '/api/websocket/metrics')).text;
    const figure = (name: string) => Number(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
    expect(figure('tickcast_shard_lapped_total')).toBeGreaterThanOrEqual(1);
    expect(figure('tickcast_shard_records_lost_total')).toBeGreaterThan(0);
    expect(started.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('lapped') }),
    );
  });
});

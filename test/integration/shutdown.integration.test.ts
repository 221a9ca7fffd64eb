import { describe, expect, it } from 'vitest';
import { freePort } from '../../perf/lib/free-port.ts';
import { TestProcess } from '../support/child-process.ts';
import { clientFrame, framesIn, RawClient } from '../support/raw-client.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway, trade } from '../support/test-gateway.ts';

const MAIN = new URL('../../src/main.ts', import.meta.url);
const EMBEDDING = new URL('../support/embedding.fixture.ts', import.meta.url);

const CLOSE = 8;

/** The program itself, with two shards and a market. */
async function startProcess(options: Record<string, string> = {}): Promise<{ child: TestProcess; port: number }> {
  const port = await freePort();
  const argv = Object.entries({
    'server.port': String(port),
    'server.host': '127.0.0.1',
    shards: '2',
    'ring.bytes': String(4 * 1024 * 1024),
    'source.simulator.rate': '200',
    'shutdown.drainMs': '0',
    ...options,
  }).flatMap(([name, value]) => [`--${name}`, value]);
  const child = new TestProcess(MAIN, argv);
  await child.said('WebSocket gateway started');
  return { child, port };
}

/** What a close frame says, where the gateway has sent one. */
function closeIn(client: RawClient): { code: number; reason: string } | undefined {
  const close = framesIn(client.received).find(({ opcode }) => opcode === CLOSE);
  return close && { code: close.payload.readUInt16BE(0), reason: close.payload.toString('utf8', 2) };
}

describe('the program, on a signal', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'hands over everything it has published, says 1001 to everybody and exits 0: %s',
    async (signal) => {
      const { child, port } = await startProcess({ 'batch.mode': 'fixed', 'batch.maxDelayMs': '60000' });
      const clients = await Promise.all(Array.from({ length: 8 }, () => TestClient.open(port)));
      await new Promise((resolve) => setTimeout(resolve, 400));
      for (const client of clients) expect(client.data).toEqual([]);
      child.kill(signal);
      for (const client of clients) {
        expect(await client.untilClosed()).toEqual({ code: 1001, reason: 'Server shutting down' });
      }
      const { status, stderr, stdout } = await child.ended;
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const log = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(log.find(({ msg }) => msg === 'WebSocket gateway stopping')).toMatchObject({ level: 'INFO', signal });
      const published = log.find(({ msg }) => msg === 'DataFlow stopped')?.totalSent as number;
      expect(published).toBeGreaterThan(20);
      for (const { data } of clients) {
        const first = data[0]!.seq!;
        expect(data.map(({ seq }) => seq)).toEqual(Array.from({ length: published - first + 1 }, (_, n) => first + n));
      }
    },
  );

  it('exits 0 within its time in spite of clients that answer no close, read nothing, or never finish a request', async () => {
    const { child, port } = await startProcess({ 'shutdown.timeoutMs': '2000', 'source.simulator.rate': '2000' });
    const deaf = await Promise.all(Array.from({ length: 4 }, () => RawClient.upgraded(port)));
    const unread = await Promise.all(Array.from({ length: 4 }, () => RawClient.upgraded(port, '/ws')));
    for (const { socket } of unread) socket.pause();
    const halfOpen = await Promise.all(
      [
        '',
        'GET /ws HTTP/1.1\r\n',
        'POST /api/websocket/flush HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx',
      ].map((text) => RawClient.connected(port, text)),
    );
    child.kill('SIGTERM');
    for (const client of deaf) {
      await client.until(() => closeIn(client) !== undefined, 'a close frame');
      expect(closeIn(client)).toEqual({ code: 1001, reason: 'Server shutting down' });
    }
    expect(await child.ended).toMatchObject({ status: 0, stderr: '' });
    for (const client of [...deaf, ...halfOpen]) await client.untilEnded();
    for (const client of [...deaf, ...unread, ...halfOpen]) client.destroy();
  });

  it.each([
    ['SIGINT', 'SIGINT', 130],
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGINT', 'SIGTERM', 143],
  ] as const)('exits at once on a second one: %s, then %s', async (first, second, status) => {
    const { child, port } = await startProcess({ 'shutdown.timeoutMs': '60000' });
    const deaf = await RawClient.upgraded(port);
    child.kill(first);
    await deaf.until(() => closeIn(deaf) !== undefined, 'a close frame');
    child.kill(second);
    expect(await child.ended).toMatchObject({ status });
    deaf.destroy();
  });
});

describe('a gateway that has time to drain', () => {
  it('tells its clients when they have to go, and sends them data until then, one after another', async () => {
    const { child, port } = await startProcess({ 'shutdown.drainMs': '1000' });
    const clients = await Promise.all(Array.from({ length: 20 }, () => TestClient.open(port)));
    const left: { told: number; after: number; last: number }[] = [];
    const watch = clients.map(async (client) => {
      const told = await client.next('serverShutdown');
      const toldAt = performance.now();
      expect(told.payload).toEqual({
        drainMs: expect.any(Number),
        reconnectAfterMs: expect.any(Number),
        seq: expect.any(Number),
      });
      expect(await client.untilClosed()).toEqual({ code: 1001, reason: 'Server shutting down' });
      left.push({
        told: told.payload.reconnectAfterMs as number,
        after: performance.now() - toldAt,
        last: client.data.at(-1)!.seq!,
      });
    });
    child.kill('SIGTERM');
    await Promise.all(watch);
    expect(await child.ended).toMatchObject({ status: 0, stderr: '' });
    const turns = left.map(({ told }) => told).toSorted((a, b) => a - b);
    // Two shards, each of which spreads its own over the whole time.
    expect(turns[0]).toBe(0);
    expect(turns.at(-1)).toBeGreaterThan(600);
    expect(turns.at(-1)).toBeLessThanOrEqual(1_000);
    expect(new Set(turns).size).toBeGreaterThan(8);
    for (const { told, after } of left) expect(after).toBeGreaterThan(told - 100);
    // Who goes later has got later data.
    const byTurn = left.toSorted((a, b) => a.told - b.told);
    expect(byTurn.at(-1)!.last).toBeGreaterThan(byTurn[0]!.last + 20);
  });

  it('names no point to those who are about to resume, since they have not got anything yet', async () => {
    const { gateway, port, publish } = await startGateway({ shutdown: { drainMs: 500 } });
    const [live, coming] = [await TestClient.open(port), await TestClient.open(port, '/ws?subscription=none')];
    for (let n = 1; n <= 10; n++) publish(trade('A', n));
    const stopped = gateway.stop();
    expect((await live.next('serverShutdown')).payload).toMatchObject({ seq: 10 });
    expect((await coming.next('serverShutdown')).payload).not.toHaveProperty('seq');
    await stopped;
  });

  it('lets those in whose handshake is under way, and tells them too', async () => {
    const { gateway, port } = await startGateway({ shutdown: { timeoutMs: 10_000, drainMs: 5_000 } });
    const first = await TestClient.open(port);
    const late = await RawClient.connected(port, 'GET /ws HTTP/1.1\r\n');
    const stopped = gateway.stop();
    await first.next('serverShutdown');
    late.send(
      'Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const frames = () => framesIn(late.received.subarray(late.received.indexOf('\r\n\r\n') + 4));
    await late.until(() => frames().length >= 2, 'a welcome and what follows');
    const [welcome, told] = frames().map(({ payload }) => JSON.parse(payload.toString('utf8')));
    expect([welcome.type, told.type]).toEqual(['welcome', 'serverShutdown']);
    expect(told.payload.reconnectAfterMs).toBeLessThanOrEqual(5_000);
    late.socket.destroy();
    await first.close();
    // Nobody is left to wait for.
    const begun = performance.now();
    await stopped;
    expect(performance.now() - begun).toBeLessThan(4_000);
  });
});

describe('a gateway that stops', () => {
  it('sends nothing after its close frame', async () => {
    const { gateway, port, publish } = await startGateway({ shutdown: { timeoutMs: 500 } });
    const deaf = await RawClient.upgraded(port, '/ws');
    const publishing = setInterval(() => publish(trade('A')), 1);
    await deaf.until(() => framesIn(deaf.received).length > 10, 'data');
    await gateway.stop();
    clearInterval(publishing);
    await deaf.untilEnded();
    const opcodes = framesIn(deaf.received).map(({ opcode }) => opcode);
    expect(opcodes.indexOf(CLOSE)).toBe(opcodes.length - 1);
    deaf.destroy();
  });

  it('waits for nobody who has answered its close', async () => {
    const { gateway, port } = await startGateway({ shutdown: { timeoutMs: 60_000 } });
    const client = await RawClient.upgraded(port);
    const stopped = gateway.stop();
    await client.until(() => closeIn(client) !== undefined, 'a close frame');
    client.send(clientFrame(Buffer.from([0x03, 0xe9]), { opcode: CLOSE }));
    client.socket.end();
    await stopped;
  });

  it('lets nobody in while it drains, and does not wait for who tries', async () => {
    const { gateway, port } = await startGateway({ shutdown: { timeoutMs: 60_000 }, limits: { connectionsPerIp: 10 } });
    const deaf = await RawClient.upgraded(port);
    const late = await RawClient.connected(port, 'GET /ws HTTP/1.1\r\n');
    const stopped = gateway.stop();
    await deaf.until(() => closeIn(deaf) !== undefined, 'a close frame');
    late.send(
      'Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await late.until(() => late.statusLine !== '', 'an answer');
    expect(late.statusLine).toBe('HTTP/1.1 503 Service Unavailable');
    await late.untilEnded();
    deaf.send(clientFrame(Buffer.from([0x03, 0xe9]), { opcode: CLOSE }));
    deaf.socket.end();
    late.socket.end();
    await stopped;
  });

  it('takes no new connections and no more publications', async () => {
    const { gateway, port } = await startGateway({ shards: 2 });
    await gateway.stop();
    expect(gateway.processData(trade('A'))).toBe(false);
    const refused = await RawClient.connected(port, 'GET /ws HTTP/1.1\r\n');
    await refused.untilEnded();
    expect(refused.received).toHaveLength(0);
  });
});

describe('a program that embeds a gateway ends by itself', () => {
  it.each([
    ['stops', [], '1001'],
    ['stopsUnstarted', [], 'INVALID_STATE'],
    ['neverStarts', [], 'created'],
    ['findsThePortTaken', [], 'PORT_IN_USE'],
    ['findsTheAdminPortTaken', [], 'PORT_IN_USE'],
    ['hasAShardThatHangs', [], 'SHARD_START_FAILED'],
    ['stopsDuringTheBackOff', [], 'stopped'],
    ['stopsAShardThatIsStuck', [], 'stopped'],
    // Before the first turn of the event loop, and at moments in which the shards come up.
    ...[-1, 0, 20, 40, 60, 80, 120].map(
      (ms) => ['stopsWhileItStarts', [String(ms)], /^(INVALID_STATE|started)$/] as const,
    ),
  ] as const)('when it %s %j', async (scenario, argv, said) => {
    const { status, stdout, stderr } = await new TestProcess(EMBEDDING, [scenario, ...argv]).ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.trim()).toMatch(said);
  });
});

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Gateway } from '../../src/gateway.ts';
import { collectingLogger } from '../support/collected-lines.ts';
import { type Received, TestClient } from '../support/test-client.ts';
import { startGateway, trade } from '../support/test-gateway.ts';

/** Resolves with the status of an HTTP answer to a raw request. */
function rawStatus(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    let answer = '';
    socket.setEncoding('latin1').on('data', (text) => {
      answer += text;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer.split('\r\n', 1)[0] ?? ''));
  });
}

const UPGRADE =
  'Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

describe('the contract with existing clients, on one gateway', () => {
  let gateway: Gateway;
  let port: number;
  const publish = (...publications: Parameters<Gateway['processData']>[0][]) => {
    for (const publication of publications) gateway.processData(publication);
  };

  beforeAll(async () => {
    gateway = new Gateway(
      { server: { port: 0 }, shards: 2, source: { kind: 'none' }, ring: { bytes: 4 * 1024 * 1024 } },
      { logger: collectingLogger() },
    );
    await gateway.start();
    port = gateway.port;
  });

  afterAll(() => gateway.stop());

  /** A client that gets nothing until it asks. */
  const quiet = () => TestClient.open(port, '/ws?subscription=none');
  /** Publishes and waits until the client has the last of it. */
  const deliver = async (client: TestClient, ...publications: Parameters<typeof publish>) => {
    const before = client.data.length;
    publish(...publications);
    await client.until(() => client.data.length >= before + publications.length, `${publications.length} data frames`);
    return client.data.slice(before);
  };

  it('T1 takes /ws with any query, refuses other upgrades with 400 and other requests with 404', async () => {
    const client = await TestClient.open(port, '/ws?token=abc&x=%zz');
    await client.close();
    expect(await rawStatus(port, `GET /other HTTP/1.1\r\n${UPGRADE}`)).toBe('HTTP/1.1 400 Bad Request');
    expect((await fetch(`http://127.0.0.1:${port}/other`)).status).toBe(404);
  });

  it('T2 T4 begins with a welcome and sends nothing else unasked', async () => {
    const client = await quiet();
    await client.settle();
    expect(client.received.map(({ type }) => type)).toEqual(['welcome', 'pong']);
    const { payload, timestamp } = client.received[0] as Received;
    expect(payload).toMatchObject({
      connectionId: expect.any(String),
      serverTime: expect.any(Number),
      proxyVersion: expect.any(String),
      protocolVersion: 1,
      epoch: expect.any(String),
      seq: expect.any(Number),
    });
    expect(Math.abs(timestamp - Date.now())).toBeLessThan(60_000);
    const other = await quiet();
    expect(other.received[0]!.payload.connectionId).not.toBe(payload.connectionId);
    await Promise.all([client.close(), other.close()]);
  });

  it('T10 answers every form of ping with a pong', async () => {
    const client = await quiet();
    for (const form of [
      'ping',
      { type: 'ping', timestamp: '2026-01-01T00:00:00Z' },
      { op: 'ping' },
      { method: 'ping', id: 7 },
    ]) {
      client.send(form);
    }
    client.send(Buffer.from('{"type":"ping"}'));
    await client.until(() => client.received.length === 6, 'five pongs');
    const pongs = client.received.slice(1);
    const sessionId = client.received[0]!.payload.connectionId;
    for (const pong of pongs) {
      expect(pong).toMatchObject({ type: 'pong', payload: { timestamp: expect.any(Number), sessionId } });
      expect(pong.timestamp).toEqual(expect.any(Number));
    }
    expect(pongs.map(({ id }) => id)).toEqual([undefined, undefined, undefined, 7, undefined]);
    await client.close();
  });

  it('T11 T22 answers neither a pong nor an unknown type without an id', async () => {
    const client = await quiet();
    client.send({ type: 'pong', timestamp: 1 });
    client.send({ type: 'somethingElse' });
    await client.settle();
    expect(client.received.map(({ type }) => type)).toEqual(['welcome', 'pong']);
    expect(await client.ask({ type: 'somethingElse' })).toMatchObject({
      type: 'error',
      payload: { code: 'UNKNOWN_MESSAGE_TYPE', message: expect.any(String) },
    });
    await client.close();
  });

  it('T12 T34 subscribes with filters, repeats what was given, and delivers only what matches, once', async () => {
    const client = await quiet();
    const given = { exchange: ['Binance'], symbols: ['btc-usdt', 'BTCUSDT'], dataTypes: ['trades'] };
    const reply = await client.ask({ type: 'subscribe', payload: given });
    expect(reply).toMatchObject({ type: 'subscribed', payload: { filterId: expect.any(String), filter: given } });
    expect(reply.payload.seq).toEqual(expect.any(Number));
    await client.ask({ action: 'subscribe', payload: { symbol: 'btc_usdt' } });
    const [first, second] = await deliver(client, trade('BTC/USDT', 1), {
      exchange: 'kraken',
      symbol: 'BTC/USDT',
      type: 'ticker',
      timestamp: 5,
      data: { lastPrice: 1 },
    });
    publish(trade('ETH/USDT', 2));
    await client.settle();
    expect(client.data).toHaveLength(2);
    expect(first).toMatchObject({ type: 'trade', payload: { symbol: 'BTC/USDT', exchange: 'binance' } });
    expect(second).toMatchObject({ type: 'ticker', payload: { exchange: 'kraken' } });
    await client.close();
  });

  it('T12 takes aliases of the keys and lists of one', async () => {
    const client = await quiet();
    expect((await client.ask({ type: 'subscribe', payload: {} })).payload.filter).toEqual({});
    const reply = await client.ask({
      type: 'subscribe',
      payload: { exchanges: 'okx', symbol: 'A', types: 'depth', x: 1 },
    });
    expect(reply.payload.filter).toEqual({ exchange: 'okx', symbols: 'A', dataTypes: 'depth' });
    await client.close();
  });

  it('T13 T14 T16 remembers channels by name', async () => {
    const client = await quiet();
    expect((await client.ask({ type: 'subscribe', payload: { channel: 'x' } })).payload).toEqual({ channel: 'x' });
    expect((await client.ask({ type: 'subscribe', payload: { channel: 'x' } })).payload).toEqual({ channel: 'x' });
    expect((await client.ask({ type: 'subscribe', payload: { channels: ['a', 5] } })).payload).toEqual({
      results: [
        { channel: 'a', success: true },
        { channel: 5, success: false, error: 'Invalid channel format' },
      ],
      totalSubscriptions: 2,
    });
    expect((await client.ask({ type: 'unsubscribe', payload: { channel: 'x' } })).payload).toEqual({ channel: 'x' });
    expect((await client.ask({ type: 'unsubscribe', payload: { channels: ['a'] } })).payload).toEqual({
      results: [{ channel: 'a', success: true }],
      totalSubscriptions: 0,
    });
    await client.close();
  });

  it('T13 T33 leaves the firehose on for a connection that only has channels', async () => {
    const client = await TestClient.open(port);
    await client.ask({ type: 'subscribe', payload: { channel: 'x' } });
    await deliver(client, trade('FIREHOSE'));
    await client.close();
  });

  it('T15 T17 unsubscribes one filter, an unknown one, and all', async () => {
    const client = await quiet();
    const { filterId } = (await client.ask({ type: 'subscribe', payload: { symbols: ['ONE'] } })).payload;
    await client.ask({ type: 'subscribe', payload: { symbols: ['TWO'] } });
    expect((await client.ask({ type: 'unsubscribe', payload: { filterId } })).payload).toEqual({ filterId });
    expect((await client.ask({ type: 'unsubscribe', payload: { filterId: 'no' } })).payload).toEqual({
      filterId: 'no',
    });
    publish(trade('ONE'));
    await deliver(client, trade('TWO'));
    expect(client.data.map(({ payload }) => payload.symbol)).toEqual(['TWO']);
    expect((await client.ask({ type: 'unsubscribe' })).payload).toEqual({});
    publish(trade('TWO'), trade('ONE'));
    await client.settle();
    expect(client.data).toHaveLength(1);
    await client.close();
  });

  it('T18 T19 T20 answers questions about itself', async () => {
    const client = await quiet();
    await client.ask({ type: 'subscribe', payload: { symbols: ['Q'] } });
    await deliver(client, trade('Q', 3));
    expect((await client.ask({ type: 'getStats' })).payload).toMatchObject({
      connections: { total: expect.any(Number), active: expect.any(Number), avgDuration: expect.any(Number) },
      subscriptions: { total: expect.any(Number), channels: expect.any(Number) },
      adapters: expect.arrayContaining([expect.objectContaining({ name: 'binance', healthy: true })]),
      server: { uptime: expect.any(Number), memory: expect.any(Object), timestamp: expect.any(Number) },
      connection: { totalConnections: expect.any(Number), messagesForwarded: expect.any(Number) },
      subscription: {
        totalSubscriptions: 1,
        activeFilters: 1,
        matchOperations: expect.any(Number),
        lastActivity: expect.any(Number),
      },
      health: { status: 'healthy' },
      pool: { totalMessagesSent: expect.any(Number) },
    });
    expect((await client.ask({ type: 'getSubscriptions' })).payload).toMatchObject({
      subscriptions: [],
      count: 1,
      filters: [{ symbols: ['Q'], filterId: expect.any(String), clientId: client.received[0]!.payload.connectionId }],
    });
    expect((await client.ask({ type: 'getAdapterStatus' })).payload).toMatchObject({
      adapters: expect.arrayContaining([
        { name: 'binance', status: 'active', healthy: true, metrics: expect.any(Object) },
      ]),
      timestamp: expect.any(Number),
    });
    expect((await client.ask({ type: 'getSystemStats' })).payload).toMatchObject({
      system: {
        memory: expect.any(Object),
        uptime: expect.any(Number),
        cpu: expect.any(Number),
        timestamp: expect.any(Number),
      },
      sessions: { totalSessions: expect.any(Number), activeSessions: expect.any(Number), totalSubscriptions: 1 },
    });
    const snapshot = await client.ask({ type: 'requestSnapshot', payload: { exchange: 'binance', symbols: ['q'] } });
    expect(snapshot.payload).toMatchObject({ exchange: 'binance', symbols: ['q'], timestamp: expect.any(Number) });
    expect(snapshot.payload.data).toMatchObject([{ symbol: 'Q', data: { id: '3' } }]);
    await client.close();
  });

  it.each([
    ['text that is not JSON', '{'],
    ['an array', '[1]'],
    ['a number', '5'],
    ['null', 'null'],
    ['a type that is no string', '{"type":5}'],
    ['an empty type', '{"type":""}'],
    ['no type', '{}'],
    ['deep nesting', `${'['.repeat(200_000)}`],
    ['a payload that is no object', '{"type":"subscribe","payload":[1]}'],
  ])('T21 answers %s with INVALID_MESSAGE and goes on', async (_name, text) => {
    const client = await quiet();
    client.send(text);
    expect((await client.next('error')).payload).toMatchObject({
      code: 'INVALID_MESSAGE',
      message: 'Invalid message format',
    });
    await client.settle();
    await client.close();
  });

  it('T23 closes 1009 for a message over 1 MiB', async () => {
    const client = await quiet();
    client.send(`{"type":"ping","x":"${'x'.repeat(1024 * 1024)}"}`);
    expect((await client.untilClosed()).code).toBe(1009);
  });

  it.each([
    [{ exchange: 5 }, 'exchange'],
    [{ symbols: [1] }, 'symbols'],
    [{ dataTypes: {} }, 'dataTypes'],
    [{ types: [''] }, 'types'],
  ])('T24 refuses the filter %j and changes nothing', async (payload, key) => {
    const client = await TestClient.open(port);
    expect((await client.ask({ type: 'subscribe', payload })).payload).toMatchObject({
      code: 'INVALID_SUBSCRIPTION',
      detail: { key, problem: expect.any(String), allowed: expect.any(String) },
    });
    await deliver(client, trade('STILL-FIREHOSE'));
    await client.close();
  });

  it('T30 T31 forwards any JSON object with what it has, unchanged and in order', async () => {
    const client = await quiet();
    await client.ask({ type: 'subscribe', payload: {} });
    const publications = [
      { foo: 1 },
      { type: 'liquidation', exchange: 'okx', symbol: 'X-Y', data: [1, 2], nested: { deep: [null] } },
      { type: 'funding', data: null, timestamp: '2026-01-01T00:00:00.000Z' },
      { type: 'trade', exchange: 'binance', symbol: 'É/€', data: { price: 1, note: '😀 "quoted" \u2028' } },
      { type: 'note', data: { body: 'x'.repeat(100_000) } },
      { type: 'trade', price: 'kept', data: { price: 1, quantity: 2, side: 'sell' } },
    ];
    const frames = await deliver(client, ...publications);
    for (const [index, frame] of frames.entries()) {
      const publication = publications[index]!;
      expect(frame.type).toBe((publication as { type?: string }).type ?? 'data');
      expect(frame.payload).toMatchObject(publication);
      expect(frame.timestamp).toEqual(expect.any(Number));
      expect(Object.keys(frame)).toEqual(['type', 'payload', 'timestamp', 'seq', 'prevSeq']);
    }
    expect(frames[0]!.payload).toEqual({ foo: 1 });
    expect(client.strange).toEqual([]);
    await client.close();
  });

  it('T30 chains each topic by prevSeq', async () => {
    const client = await quiet();
    await client.ask({ type: 'subscribe', payload: { symbols: ['C1', 'C2'] } });
    const frames = await deliver(
      client,
      trade('C1', 1),
      trade('C2', 2),
      trade('C1', 3),
      trade('C2', 4),
      trade('C1', 5),
    );
    const last = new Map<unknown, number>();
    let seq = 0;
    for (const frame of frames) {
      expect(frame.seq).toBeGreaterThan(seq);
      expect(frame.prevSeq).toBe(last.get(frame.payload.symbol) ?? 0);
      seq = frame.seq!;
      last.set(frame.payload.symbol, seq);
    }
    await client.close();
  });

  it('T32 lifts the fields that the front end reads, as strings, where they are missing', async () => {
    const client = await quiet();
    await client.ask({ type: 'subscribe', payload: { symbols: ['LIFT'] } });
    const of = (type: string, data: object, more = {}) => ({
      exchange: 'x',
      symbol: 'LIFT',
      type,
      timestamp: 1,
      data,
      ...more,
    });
    const frames = await deliver(
      client,
      of('trade', { price: 1.5, quantity: 2, side: 'buy' }),
      of('trade', { p: '3', q: '4', m: true }),
      of('ticker', { lastPrice: 0, volume24h: 7, change24h: -1.25 }),
      of('ticker', { c: '8', v: '9', P: '1' }, { price: 'own' }),
    );
    expect(frames.map(({ payload: { price, volume, side, change24h } }) => [price, volume, side, change24h])).toEqual([
      ['1.5', '2', 'buy', undefined],
      ['3', '4', 'sell', undefined],
      ['0', '7', undefined, '-1.25'],
      ['own', '9', undefined, '1'],
    ]);
    await client.close();
  });

  it('T34 T35 sends klines as kline with their interval and matches kline and kline_1m', async () => {
    const [all, minute, hour] = [await quiet(), await quiet(), await quiet()];
    await all.ask({ type: 'subscribe', payload: { symbols: ['K'], dataTypes: ['kline'] } });
    await minute.ask({ type: 'subscribe', payload: { symbols: ['K'], dataTypes: ['kline_1m'] } });
    await hour.ask({ type: 'subscribe', payload: { symbols: ['K'], dataTypes: ['kline_1h', 'orderbook'] } });
    const frames = await deliver(
      all,
      { exchange: 'x', symbol: 'K', type: 'kline_1m', timestamp: 1, data: { open: 1 } },
      { exchange: 'x', symbol: 'K', type: 'kline', timestamp: 2, data: { open: 2, interval: '1h' } },
    );
    expect(
      frames.map(({ type, payload }) => [type, payload.type, (payload.data as { interval: string }).interval]),
    ).toEqual([
      ['kline', 'kline', '1m'],
      ['kline', 'kline', '1h'],
    ]);
    publish({ exchange: 'x', symbol: 'K', type: 'orderbook', timestamp: 3, data: { bids: [], asks: [] } });
    expect((await hour.next('depth')).payload.type).toBe('depth');
    await minute.settle();
    expect(minute.data.map(({ payload }) => payload.timestamp)).toEqual([1]);
    expect(hour.data.map(({ payload }) => payload.timestamp)).toEqual([2, 3]);
    await Promise.all([all.close(), minute.close(), hour.close()]);
  });

  it('T34 fails a filter that lists names for a publication without them', async () => {
    const client = await quiet();
    await client.ask({ type: 'subscribe', payload: { exchange: ['x'] } });
    publish({ type: 'trade', symbol: 'NAMELESS', data: {} });
    await deliver(client, trade('NAMED', 1, 'x'));
    expect(client.data.map(({ payload }) => payload.symbol)).toEqual(['NAMED']);
    await client.close();
  });

  it('T36 turns a numeric string into a number and keeps an ISO string', async () => {
    const client = await quiet();
    await client.ask({ type: 'subscribe', payload: { symbols: ['TIME'] } });
    const frames = await deliver(
      client,
      { symbol: 'TIME', type: 'x', timestamp: '1700000000000' },
      { symbol: 'TIME', type: 'x', timestamp: '2026-01-01T00:00:00Z' },
    );
    expect(frames.map(({ payload }) => payload.timestamp)).toEqual([1_700_000_000_000, '2026-01-01T00:00:00Z']);
    await client.close();
  });

  it('T41 answers a protocol PING', async () => {
    const client = await quiet();
    const pong = new Promise((resolve) => client.socket.once('pong', (data) => resolve(String(data))));
    client.socket.ping('hello');
    expect(await pong).toBe('hello');
    await client.close();
  });

  it('T50 T61 T62 counts connections, filters and deliveries exactly', async () => {
    const read = async (name: string) =>
      (await fetch(`http://127.0.0.1:${port}/api/websocket/${name}`)).json() as Promise<Record<string, number>>;
    const before = await read('stats');
    const clients = await Promise.all([quiet(), quiet(), quiet()]);
    for (const client of clients) await client.ask({ type: 'subscribe', payload: { symbols: ['COUNTED'] } });
    publish(trade('COUNTED', 1), trade('COUNTED', 2));
    for (const client of clients) await client.until(() => client.data.length === 2, 'two frames');
    const during = await read('stats');
    expect(during.activeConnections! - before.activeConnections!).toBe(3);
    expect(during.totalConnections! - before.totalConnections!).toBe(3);
    expect(during.totalSubscriptions! - before.totalSubscriptions!).toBe(3);
    expect(during.messagesForwarded! - before.messagesForwarded!).toBe(6);
    expect(await read('status')).toMatchObject({
      status: 'available',
      port,
      clients: during.activeConnections,
      endpoint: '/ws',
    });
    await Promise.all(clients.map((client) => client.close()));
    await expect.poll(async () => (await read('stats')).activeConnections).toBe(before.activeConnections);
    expect((await read('stats')).totalSubscriptions).toBe(before.totalSubscriptions);
  });

  it('keeps going for everybody through binary garbage, invalid UTF-8 and reserved bits from one', async () => {
    const witness = await TestClient.open(port);
    const frames: [Buffer, number][] = [
      [Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]), 1007], // text that is no UTF-8
      [Buffer.from([0xf1, 0x80, 0, 0, 0, 0]), 1002], // reserved bits
      [Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 1002], // reserved opcode
      [Buffer.from([0x81, 0x01, 0x61]), 1002], // not masked
      [Buffer.from([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]), 1009], // longer than any number
    ];
    for (const [bytes, code] of frames) {
      const client = new WebSocket(`ws://127.0.0.1:${port}/ws?subscription=none`);
      await new Promise((resolve) => client.once('open', resolve));
      const closed = new Promise((resolve) => client.once('close', resolve));
      client.on('error', () => {});
      (client as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(bytes);
      expect(await closed).toBe(code);
    }
    await deliver(witness, trade('WITNESS'));
    await witness.close();
  });
});

describe('the contract with existing clients, as configured', () => {
  it('T3 closes 1013 over capacity, without welcome or data, and counts an error', async () => {
    const { port, publish } = await startGateway({ limits: { connections: 2 }, shards: 2 });
    const [a, b] = [await TestClient.open(port), await TestClient.open(port)];
    const refused = new TestClient(`ws://127.0.0.1:${port}/ws`);
    publish(trade('X'));
    expect(await refused.untilClosed()).toEqual({ code: 1013, reason: 'Server at capacity' });
    expect(refused.received).toEqual([]);
    await a.close();
    await expect
      .poll(() =>
        TestClient.open(port).then(
          (client) => client.close().then(() => true),
          () => false,
        ),
      )
      .toBe(true);
    await b.close();
    const stats = (await (await fetch(`http://127.0.0.1:${port}/api/websocket/stats`)).json()) as Record<
      string,
      number
    >;
    expect(stats.errorsEncountered).toBeGreaterThanOrEqual(1);
  });

  it('closes 1008 for more connections from one address than allowed, and lets others in when one has gone', async () => {
    const { port } = await startGateway({ limits: { connectionsPerIp: 1 } });
    const first = await TestClient.open(port);
    const second = new TestClient(`ws://127.0.0.1:${port}/ws`);
    expect((await second.untilClosed()).code).toBe(1008);
    const elsewhere = new TestClient(`ws://127.0.0.1:${port}/ws`, { localAddress: '127.0.0.2' });
    await elsewhere.next('welcome');
    await first.close();
    await expect
      .poll(async () => {
        const client = new TestClient(`ws://127.0.0.1:${port}/ws`);
        const outcome = await Promise.race([client.next('welcome'), client.untilClosed()]);
        await client.close();
        return 'type' in outcome;
      })
      .toBe(true);
    await elsewhere.close();
  });

  it('T24 refuses one filter too many', async () => {
    const { port } = await startGateway({ limits: { subscriptionsPerConnection: 2, filterTerms: 10 } });
    const client = await TestClient.open(port);
    const many = { symbols: Array.from({ length: 11 }, (_, n) => `S${n}`) };
    expect((await client.ask({ type: 'subscribe', payload: many })).payload.code).toBe('TOO_MANY_SUBSCRIPTIONS');
    await client.ask({ type: 'subscribe', payload: { symbols: ['A'] } });
    await client.ask({ type: 'subscribe', payload: { channel: 'c' } });
    expect((await client.ask({ type: 'subscribe', payload: { symbols: ['B'] } })).payload).toMatchObject({
      code: 'TOO_MANY_SUBSCRIPTIONS',
      detail: { allowed: 2 },
    });
    await client.close();
  });

  it('T25 refuses commands beyond twice the rate and stays open', async () => {
    const { port } = await startGateway({ limits: { commandsPerSecond: 5 } });
    const client = await TestClient.open(port, '/ws?subscription=none');
    for (let n = 0; n < 30; n++) client.send({ type: 'ping', id: n });
    const error = await client.next('error');
    expect(error.payload).toMatchObject({
      code: 'RATE_LIMIT_EXCEEDED',
      message: 'Too many messages. Please slow down.',
    });
    expect(error.id).toEqual(expect.any(Number));
    expect(client.received.filter(({ type }) => type === 'pong').length).toBeGreaterThanOrEqual(10);
    expect(client.closed).toBeUndefined();
    await client.close();
  });

  it('T33 sends nothing unasked with defaultSubscription none, and everything to who asks for all', async () => {
    const { port, publish } = await startGateway({ defaultSubscription: 'none' });
    const [none, all] = [await TestClient.open(port), await TestClient.open(port, '/ws?subscription=all')];
    publish(trade('A'));
    await all.next('trade');
    await none.settle();
    expect(none.data).toEqual([]);
    await Promise.all([none.close(), all.close()]);
  });

  it('T40 sends protocol PINGs and closes who stays silent', async () => {
    const { port } = await startGateway({ heartbeat: { intervalMs: 100, timeoutMs: 400 } });
    const lively = await TestClient.open(port);
    const silent = new TestClient(`ws://127.0.0.1:${port}/ws`, { autoPong: false });
    await silent.untilClosed();
    expect(silent.pings).toBeGreaterThanOrEqual(2);
    expect(lively.pings).toBeGreaterThanOrEqual(2);
    expect(lively.closed).toBeUndefined();
    await lively.close();
  });

  it('T42 hands over what is buffered and closes 1001 at shutdown', async () => {
    const { gateway, port, publish } = await startGateway({
      batch: { mode: 'fixed', maxDelayMs: 60_000, maxMessages: 1_000 },
    });
    const clients = await Promise.all(Array.from({ length: 5 }, () => TestClient.open(port)));
    for (const client of clients) await client.settle();
    publish(...Array.from({ length: 20 }, (_, n) => trade('LAST', n)));
    await gateway.stop();
    for (const client of clients) {
      expect(await client.untilClosed()).toEqual({ code: 1001, reason: 'Server shutting down' });
      expect(client.data).toHaveLength(20);
    }
  });

  it('flushes a batch when the admin API says so', async () => {
    const { port, publish } = await startGateway({ batch: { mode: 'fixed', maxDelayMs: 60_000 } });
    const client = await TestClient.open(port);
    publish(trade('A'), trade('B'));
    await client.settle();
    expect(client.data).toEqual([]);
    const answer = await fetch(`http://127.0.0.1:${port}/api/websocket/flush`, { method: 'POST' });
    expect(await answer.json()).toMatchObject({ flushed: 2, silentShards: [] });
    await client.until(() => client.data.length === 2, 'two frames');
    await client.close();
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateway } from '../../src/gateway.ts';
import { askHttp, readAdmin } from '../support/admin-api.ts';
import { collectingLogger } from '../support/collected-lines.ts';
import { clientFrame, framesIn, RawClient, UPGRADE_HEADERS } from '../support/raw-client.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway, trade } from '../support/test-gateway.ts';

const HANDSHAKE = `GET /ws?subscription=none HTTP/1.1\r\n${UPGRADE_HEADERS}`;
const CLOSE = 8;
const MIB = 1024 * 1024;

let gateway: Gateway;
let port: number;
let witness: TestClient;

beforeAll(async () => {
  gateway = new Gateway(
    { server: { port: 0, handshakeTimeoutMs: 700 }, shards: 1, source: { kind: 'none' }, ring: { bytes: 4 * MIB } },
    { logger: collectingLogger() },
  );
  await gateway.start();
  port = gateway.port;
  witness = await TestClient.open(port);
});

afterAll(async () => {
  expect((await readAdmin<{ shards: { restarts: number }[] }>(port, 'stats')).shards).toMatchObject([{ restarts: 0 }]);
  await witness.close();
  await gateway.stop();
});

/** Others still get what is published. */
async function othersAreWell(): Promise<void> {
  const before = witness.data.length;
  gateway.processData(trade('WELL'));
  await witness.until(() => witness.data.length > before, 'data for somebody else');
}

/** The first line of the answer to these bytes, once the gateway has ended the connection. */
async function answerTo(bytes: string): Promise<string> {
  const client = await RawClient.connected(port, bytes);
  await client.untilEnded();
  client.destroy();
  return client.statusLine;
}

describe('a handshake that is none', () => {
  it.each([
    ['nothing at all', ''],
    ['half a request line', 'GET /w'],
    ['headers without an end', 'GET /ws HTTP/1.1\r\nHost: localhost\r\n'],
    [
      'a body that does not come',
      'POST /api/websocket/flush HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx',
    ],
  ])('is ended after its time: %s', async (_name, bytes) => {
    expect(await answerTo(bytes)).toBe('HTTP/1.1 408 Request Timeout');
    await othersAreWell();
  });

  it('is ended after its time although it trickles', async () => {
    const client = await RawClient.connected(port, 'GET /ws HTTP/1.1\r\nX: ');
    const trickling = setInterval(() => client.send('x'), 20);
    await client.untilEnded();
    clearInterval(trickling);
    expect(client.statusLine).toBe('HTTP/1.1 408 Request Timeout');
    client.destroy();
  });

  it.each([
    [
      'a header that is too large',
      `GET /ws HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
    ],
    [
      'a target that is too long',
      `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      '431 Request Header Fields Too Large',
    ],
    ['binary garbage', '\0\x01\x02\xff\xfe garbage\r\n\r\n', '400 Bad Request'],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '400 Bad Request'],
    ['no host', 'GET /ws HTTP/1.1\r\n\r\n', '400 Bad Request'],
    [
      'two lengths',
      'POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '400 Bad Request',
    ],
    ['another version', HANDSHAKE.replace('Version: 13', 'Version: 12'), '400 Bad Request'],
    ['no version', HANDSHAKE.replace('Sec-WebSocket-Version: 13\r\n', ''), '400 Bad Request'],
    ['a key that is none', HANDSHAKE.replace('dGhlIHNhbXBsZSBub25jZQ==', 'short'), '400 Bad Request'],
    ['no key', HANDSHAKE.replace(/Sec-WebSocket-Key.*\r\n\r\n/, '\r\n'), '400 Bad Request'],
    ['another protocol', HANDSHAKE.replace('Upgrade: websocket', 'Upgrade: h2c'), '400 Bad Request'],
    ['another method', HANDSHAKE.replace('GET', 'POST'), '405 Method Not Allowed'],
    ['another path', HANDSHAKE.replace('/ws', '/other'), '400 Bad Request'],
    ['a target that is no URL', HANDSHAKE.replace('/ws', '//[bad'), '400 Bad Request'],
  ])('is refused and ended: %s', async (_name, bytes, status) => {
    expect(await answerTo(Buffer.from(bytes, 'latin1').toString('latin1'))).toBe(`HTTP/1.1 ${status}`);
    await othersAreWell();
  });

  it.each([
    ['garbage', 'garbage\r\n\r\n'],
    ['a path of nobody', HANDSHAKE.replace('/ws', '/other')],
    ['a version of nobody', HANDSHAKE.replace('Version: 13', 'Version: 1')],
  ])('leaves nothing behind when its peer never closes its own half: %s', async (_name, bytes) => {
    const client = await RawClient.connected(port, bytes);
    await client.untilEnded();
    // Bytes to a connection that is gone on the other side are answered with a reset.
    const writing = setInterval(() => client.socket.writable && client.send('x'), 20);
    await client.until(() => client.closed, 'the reset');
    clearInterval(writing);
  });

  it('is counted', async () => {
    const failed = async () =>
      Number(
        /^tickcast_handshakes_failed_total\S* (\d+)$/m.exec((await askHttp(port, '/api/websocket/metrics')).text)?.[1],
      );
    const before = await failed();
    await answerTo('garbage\r\n\r\n');
    await answerTo(HANDSHAKE.replace('/ws', '/other'));
    await answerTo(HANDSHAKE.replace('Version: 13', 'Version: 1'));
    expect(await failed()).toBe(before + 3);
  });

  it('does not keep others out by the hundred', async () => {
    const halfOpen = await Promise.all(
      Array.from({ length: 300 }, () => RawClient.connected(port, 'GET /ws HTTP/1.1\r\n')),
    );
    const client = await TestClient.open(port);
    await othersAreWell();
    await client.close();
    for (const each of halfOpen) await each.untilEnded();
    for (const each of halfOpen) each.destroy();
  });
});

describe('HTTP on the shared port', () => {
  it('answers requests that come in one piece in their order', async () => {
    const get = (name: string) => `GET /api/websocket/${name} HTTP/1.1\r\nHost: localhost\r\n`;
    const client = await RawClient.connected(
      port,
      `${get('status')}\r\n${get('nothing')}\r\n${get('status')}Connection: close\r\n\r\n`,
    );
    await client.untilEnded();
    expect(client.text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200']);
    client.destroy();
  });

  it('survives an upgrade behind a request that has not been answered yet', async () => {
    const client = await RawClient.connected(
      port,
      `GET /api/websocket/status HTTP/1.1\r\nHost: localhost\r\n\r\n${HANDSHAKE}`,
    );
    await client.until(() => client.text.includes('HTTP/1.1 '), 'an answer');
    await othersAreWell();
    client.destroy();
  });

  it.each<[string, string, Parameters<typeof askHttp>[2], number]>([
    ['an unknown path', '/api/nothing', {}, 404],
    ['a path outside', '/etc/passwd', {}, 404],
    ['a path upwards', '/api/../../etc/passwd', {}, 404],
    ['the endpoint without an upgrade', '/ws', {}, 426],
    ['a method that a path does not know', '/api/websocket/stats', { method: 'DELETE' }, 405],
    ['a forwarded request', '/api/websocket/stats', { headers: { 'X-Forwarded-For': '127.0.0.1' } }, 403],
    ['a forwarded flush', '/api/websocket/flush', { method: 'POST', headers: { Forwarded: 'for=127.0.0.1' } }, 403],
    [
      'a flush from a web page',
      '/api/websocket/flush',
      { method: 'POST', headers: { Origin: 'https://evil.example' } },
      403,
    ],
    ['a token of nobody', '/api/websocket/stats', { headers: { Authorization: 'Bearer x', Via: '1.1 a' } }, 403],
    ['a large body', '/api/websocket/flush', { method: 'POST', body: Buffer.alloc(200 * 1024, 'x') }, 413],
    ['a body of megabytes', '/api/websocket/flush', { method: 'POST', body: Buffer.alloc(5 * MIB, 'x') }, 413],
    ['a body that fits', '/api/websocket/flush', { method: 'POST', body: Buffer.alloc(60 * 1024, 'x') }, 200],
    [
      'a body that says it is JSON and is not',
      '/api/websocket/flush',
      { method: 'POST', body: '{', headers: { 'Content-Type': 'application/json' } },
      200,
    ],
  ])('answers %s', async (_name, path, request, status) => {
    expect((await askHttp(port, path, request)).status).toBe(status);
    await othersAreWell();
  });

  it('answers every one of 300 requests at a time', async () => {
    const answers = await Promise.all(Array.from({ length: 300 }, () => askHttp(port, '/api/websocket/stats')));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([200, 503]).toEqual(expect.arrayContaining([...statuses]));
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(200);
    expect((await askHttp(port, '/api/websocket/stats')).status).toBe(200);
  });

  it('lets a requester go away in the middle', async () => {
    const clients = await Promise.all(
      Array.from({ length: 50 }, () =>
        RawClient.connected(port, 'GET /api/websocket/stats HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      ),
    );
    for (const client of clients) client.socket.resetAndDestroy();
    await othersAreWell();
  });
});

describe('frames of a client', () => {
  const upgraded = () => RawClient.upgraded(port);
  const replies = (client: RawClient) =>
    framesIn(client.received)
      .filter(({ opcode }) => opcode === 1)
      .map(
        ({ payload }) =>
          JSON.parse(payload.toString()) as { type: string; id?: unknown; payload: Record<string, unknown> },
      );
  const reply = async (client: RawClient, id: unknown) => {
    await client.until(() => replies(client).some((each) => each.id === id), `a reply to ${id}`);
    return replies(client).find((each) => each.id === id)!;
  };

  it('may come in pieces: of a message, and of a frame byte by byte', async () => {
    const client = await upgraded();
    client.send(clientFrame('{"type":"pi', { fin: false }));
    client.send(clientFrame('ping', { opcode: 9 }));
    client.send(clientFrame('ng","id"', { opcode: 0, fin: false }));
    client.send(clientFrame(':1}', { opcode: 0 }));
    expect((await reply(client, 1)).type).toBe('pong');
    client.socket.setNoDelay(true);
    for (const byte of clientFrame('{"type":"ping","id":2}')) client.send(Buffer.from([byte]));
    expect((await reply(client, 2)).type).toBe('pong');
    client.destroy();
  });

  it('are closed 1008 as too large when one message comes in tens of thousands of fragments', async () => {
    const client = await upgraded();
    client.send(clientFrame('{', { fin: false }));
    client.send(Buffer.concat(Array.from({ length: 40_000 }, () => clientFrame('', { opcode: 0, fin: false }))));
    await client.until(() => framesIn(client.received).some(({ opcode }) => opcode === CLOSE), 'a close frame');
    expect(framesIn(client.received).at(-1)!.payload.readUInt16BE(0)).toBe(1008);
    await othersAreWell();
    client.destroy();
  });

  // The close frame waited behind data that the client had not read, and data went on being written behind it meanwhile.
  it('get no data behind the answer to their close frame, however slowly they read', async () => {
    const client = await RawClient.upgraded(port, '/ws');
    client.socket.pause();
    const bulk = () => gateway.processData({ type: 'bulk', data: 'x'.repeat(100_000) });
    const pending = async () =>
      (await readAdmin<{ connections: { pendingBytes: number }[] }>(port, 'connections')).connections.some(
        ({ pendingBytes }) => pendingBytes > 0,
      );
    for (let n = 0; n < 500 && !(await pending()); n++) bulk();
    expect(await pending()).toBe(true);
    client.send(clientFrame(Buffer.from([0x03, 0xe8]), { opcode: CLOSE }));
    for (let n = 0; n < 10; n++) {
      bulk();
      await othersAreWell();
    }
    client.socket.resume();
    await client.untilEnded();
    const frames = framesIn(client.received);
    expect(frames.findIndex(({ opcode }) => opcode === CLOSE)).toBe(frames.length - 1);
    expect(frames.at(-1)!.payload.readUInt16BE(0)).toBe(1000);
    client.destroy();
  });

  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  it.each([
    ['unsubscribe', `{"filterId":${deep}}`],
    ['unsubscribe', `{"channel":${deep}}`],
    ['unsubscribe', `{"channels":[${deep}]}`],
    ['unsubscribe', `{"x":${deep}}`],
    ['subscribe', `{"channel":${deep}}`],
    ['subscribe', `{"channels":[${deep}]}`],
    ['subscribe', `{"exchange":${deep}}`],
    ['subscribe', `{"symbols":[${deep}]}`],
    ['requestSnapshot', `{"symbols":${deep}}`],
    ['requestSnapshot', `{"exchange":"x","x":${deep}}`],
    ['getStats', deep],
    ['strange', `{"x":${deep}}`],
    ['subscribe', '{"__proto__":{"symbols":["A"]},"constructor":{"prototype":{"x":1}}}'],
    [
      'subscribe',
      '{"symbols":["__proto__","constructor","toString"],"exchange":["__proto__"],"types":["hasOwnProperty"]}',
    ],
    ['subscribe', '{"channel":"__proto__"}'],
    ['unsubscribe', '{"filterId":"__proto__"}'],
    ['requestSnapshot', '{"exchange":"__proto__","symbols":["constructor"]}'],
    ['__proto__', '{}'],
    ['constructor', '{}'],
    ['toString', '{}'],
  ])('with what a parser or an object trips over are answered: %s, case %#', async (type, payload) => {
    const client = await upgraded();
    client.send(clientFrame(`{"type":"${type}","id":"strange","payload":${payload}}`));
    expect(['error', 'subscribed', 'unsubscribed', 'snapshot']).toContain((await reply(client, 'strange')).type);
    client.send(clientFrame('{"type":"ping","id":"after"}'));
    await reply(client, 'after');
    await othersAreWell();
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('x');
    client.destroy();
  });

  it('may ask for as many subscriptions as one connection may have, and no more', async () => {
    const { port: own } = await startGateway({ limits: { commandsPerSecond: 0, subscriptionsPerConnection: 2_000 } });
    const client = await TestClient.open(own, '/ws?subscription=none');
    for (let n = 0; n < 2_500; n++) client.send({ type: 'subscribe', id: n, payload: { symbols: [`S${n}`] } });
    await client.until(() => client.received.some(({ id }) => id === 2_499), 'the last reply');
    const types = client.received.filter(({ id }) => id !== undefined).map(({ type }) => type);
    expect(types).toEqual([...Array(2_000).fill('subscribed'), ...Array(500).fill('error')]);
    expect(await readAdmin(own, 'stats')).toMatchObject({ totalSubscriptions: 2_000 });
    await client.close();
    await expect.poll(async () => (await readAdmin(own, 'stats')).totalSubscriptions).toBe(0);
  });

  it.each(['subscribe', 'unsubscribe'])(
    'with more channels than there is room for in a reply are refused: %s',
    async (type) => {
      const client = await upgraded();
      client.send(clientFrame(`{"type":"${type}","id":1,"payload":{"channels":[${'1,'.repeat(200_000)}1]}}`));
      expect(await reply(client, 1)).toMatchObject({ type: 'error', payload: { code: 'INVALID_SUBSCRIPTION' } });
      client.destroy();
    },
  );

  it('that ask for a snapshot of more than a filter may name are refused', async () => {
    const client = await upgraded();
    const symbols = JSON.stringify(Array.from({ length: 50_000 }, (_, n) => `S${n}`));
    client.send(clientFrame(`{"type":"requestSnapshot","id":1,"payload":{"symbols":${symbols}}}`));
    expect(await reply(client, 1)).toMatchObject({ type: 'error', payload: { code: 'INVALID_REQUEST' } });
    client.destroy();
  });
});

describe('a client that takes more than it should', () => {
  const closes = async (from: number, why: string) =>
    Number(
      new RegExp(`^tickcast_connections_closed_total\\{[^}]*${why}[^}]*\\} (\\d+)$`, 'm').exec(
        (await askHttp(from, '/api/websocket/metrics')).text,
      )?.[1] ?? 0,
    );

  it.each([
    ['PINGs', clientFrame('x'.repeat(125), { opcode: 9 }), 400],
    ['requests', clientFrame('{"type":"requestSnapshot","payload":{}}'), 4],
  ])('and sends %s without reading is let go', async (_name, frame, atATime) => {
    const { port: own, publish } = await startGateway({ limits: { pendingBytes: 65_536, commandsPerSecond: 0 } });
    publish({ type: 'bulk', data: 'x'.repeat(500_000) });
    const client = await RawClient.upgraded(own);
    client.socket.pause();
    const burst = Buffer.concat(Array.from({ length: atATime }, () => frame));
    const flooding = setInterval(() => client.socket.writableLength < MIB && client.send(burst), 2);
    await expect.poll(async () => (await readAdmin(own, 'stats')).activeConnections, { timeout: 20_000 }).toBe(0);
    clearInterval(flooding);
    client.destroy();
  });

  it('and goes on for ten seconds is closed 1008, by commands as by PINGs', { timeout: 40_000 }, async () => {
    const { port: own } = await startGateway({ limits: { commandsPerSecond: 5 } });
    const [commands, pings, polite] = [
      await RawClient.upgraded(own),
      await RawClient.upgraded(own),
      await TestClient.open(own),
    ];
    const flooding = setInterval(() => {
      if (commands.socket.writable) commands.send(clientFrame('{"type":"ping"}'));
      if (pings.socket.writable) pings.send(clientFrame('', { opcode: 9 }));
    }, 20);
    const code = ({ received }: RawClient) =>
      framesIn(received)
        .find(({ opcode }) => opcode === CLOSE)
        ?.payload.readUInt16BE(0);
    await expect.poll(() => [code(commands), code(pings)], { timeout: 30_000 }).toEqual([1008, 1008]);
    clearInterval(flooding);
    await polite.settle();
    expect(await closes(own, 'rateLimited')).toBe(2);
    commands.destroy();
    pings.destroy();
    await polite.close();
  });
});

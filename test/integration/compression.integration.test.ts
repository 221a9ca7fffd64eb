import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PerMessageDeflateOptions } from 'ws';
import { createConfig } from '../../src/config/load-config.ts';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import { RecordingSource } from '../../src/source/recording.ts';
import { askHttp } from '../support/admin-api.ts';
import { BrowserPage } from '../support/browser-page.ts';
import { HeldSource } from '../support/held-source.ts';
import { inflateInPython } from '../support/python-client.ts';
import { inventedRecording, realRecording } from '../support/recordings.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway } from '../support/test-gateway.ts';
import { LoggedPublisher } from '../support/told-truth.ts';

const MIB = 1024 * 1024;
const LONG = { timeout: 60_000 };
const PATIENT = { timeout: 20_000, interval: 50 };
const SYMBOLS = ['A', 'B', 'C'];
/** What clients may ask for, and `false`: nothing. */
const OFFERS: (PerMessageDeflateOptions | false)[] = [
  ...[9, 10, 11, 12, 13, 14, 15].map((serverMaxWindowBits) => ({ serverMaxWindowBits, threshold: 0 })),
  { serverMaxWindowBits: 8 },
  { serverNoContextTakeover: true },
  { clientNoContextTakeover: true, threshold: 0 },
  {},
  false,
];

/** However busy the machine is. */
const SHARED = { compression: { mode: 'shared', minMembers: 1, resetMs: 100, maxUtilization: 1 } } as const;

async function start(compression: ConfigOverrides['compression'] = {}) {
  const { port, publish } = await startGateway({
    ring: { bytes: 64 * MIB },
    compression: { ...SHARED.compression, ...compression },
  });
  return { port, source: new LoggedPublisher(publish) };
}

async function open(port: number, perMessageDeflate: PerMessageDeflateOptions | false): Promise<TestClient> {
  const client = new TestClient(`ws://127.0.0.1:${port}/ws?subscription=none`, { perMessageDeflate });
  await client.next('welcome');
  return client;
}

function publishSome(source: LoggedPublisher, random: SeededRandom, count: number): void {
  for (let i = 0; i < count; i++) {
    const symbol = SYMBOLS[random.below(SYMBOLS.length)]!;
    const note = 'n'.repeat(random.below(10) === 0 ? random.below(40_000) : random.below(200));
    source.publish('trade', symbol, { price: 100 + random.below(50), quantity: 1 + random.below(9), note });
  }
}

/** The client reads no more; resolves when it has been published so much more that somebody has fallen behind. */
async function stall(port: number, source: LoggedPublisher, client: TestClient): Promise<void> {
  const before = await metric(port, 'tickcast_connections_fell_behind_total');
  client.socket.pause();
  const hasFallenBehind = async () => {
    // Nothing of it can be made small.
    source.publish('trade', 'A', { bulk: randomBytes(300_000).toString('base64') });
    return (await metric(port, 'tickcast_connections_fell_behind_total')) > before;
  };
  await expect.poll(hasFallenBehind, PATIENT).toBe(true);
}

async function metric(port: number, name: string): Promise<number> {
  const { text } = await askHttp(port, '/api/websocket/metrics');
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

describe('a gateway that compresses', () => {
  it(
    'tells every client the truth, whatever it can inflate, while clients come, go, stall and subscribe anew',
    LONG,
    async () => {
      const { port, source } = await start();
      const random = new SeededRandom(seedOfRun('compressed clients'));
      const clients: TestClient[] = [];
      const left: TestClient[] = [];
      const stalling = await open(port, {});
      await stalling.ask({ type: 'subscribe', payload: {} });
      for (let turn = 0; turn < 150; turn++) {
        publishSome(source, random, random.below(20));
        if (turn % 60 === 20) await stall(port, source, stalling);
        if (turn % 60 === 50) stalling.socket.resume();
        if (turn < OFFERS.length || random.below(4) === 0) {
          const client = await open(port, OFFERS[turn < OFFERS.length ? turn : random.below(OFFERS.length)]!);
          clients.push(client);
          await client.ask({ type: 'subscribe', payload: random.below(3) === 0 ? { symbols: ['A'] } : {} });
        }
        const client = clients[random.below(clients.length)]!;
        const action = random.below(8);
        if (action === 0) client.socket.pause();
        else if (action < 4) client.socket.resume();
        else if (action === 4 && !client.socket.isPaused) {
          await client.ask({ type: 'unsubscribe', payload: {} });
          await client.ask({ type: 'subscribe', payload: { symbols: SYMBOLS.slice(random.below(3)) } });
        } else if (action === 5 && clients.length > OFFERS.length) {
          left.push(...clients.splice(clients.indexOf(client), 1));
          client.socket.terminate();
        }
      }
      clients.push(stalling);
      for (const client of clients) client.socket.resume();
      // One that has stalled catches up after the others.
      for (const client of clients) await expect.poll(() => source.problemsOf(client), PATIENT).toEqual([]);
      for (const { strange, closed } of [...clients, ...left])
        expect([strange, closed?.code ?? 1006]).toEqual([[], 1006]);
      expect(await metric(port, 'tickcast_compression_frames_total')).toBeGreaterThan(100);
      expect(await metric(port, 'tickcast_compression_resets_total')).toBeGreaterThan(5);
    },
  );

  it('sends fewer bytes, and says how many', LONG, async () => {
    const { port, source } = await start();
    const [deflating, plain] = [await open(port, {}), await open(port, false)];
    const socketOf = ({ socket }: TestClient) => (socket as unknown as { _socket: { bytesRead: number } })._socket;
    for (const client of [deflating, plain]) await client.ask({ type: 'subscribe', payload: {} });
    const [before, beforePlain] = [socketOf(deflating).bytesRead, socketOf(plain).bytesRead];
    for (let i = 0; i < 300; i++) source.publish('trade', 'A', { price: i % 7, quantity: i % 5 });
    for (const client of [deflating, plain]) await client.until(() => client.data.length === 300, '300 frames');
    const [bytes, bytesPlain] = [socketOf(deflating).bytesRead - before, socketOf(plain).bytesRead - beforePlain];
    expect(bytes).toBeLessThan(0.4 * bytesPlain);
    expect(await metric(port, 'tickcast_forwarded_bytes_total')).toBe(bytes + bytesPlain);
    expect(await metric(port, 'tickcast_compression_in_bytes_total')).toBe(bytesPlain);
    expect(await metric(port, 'tickcast_compression_out_bytes_total')).toBe(bytes);
  });

  for (const name of ['coinbase', 'bybit', 'kraken', 'binance-futures']) {
    const file = realRecording(name) ?? inventedRecording(name);
    it(`brings what ${name} has sent whole to those that deflate, as to those that do not`, LONG, async () => {
      const { recording } = createConfig({ source: { recording: { file, speed: 'max', loop: false } } }).source;
      const source = new HeldSource(new RecordingSource(recording));
      const { port } = await startGateway(
        { ring: { bytes: 64 * MIB }, limits: { pendingBytes: 0 }, ...SHARED },
        { source },
      );
      const clients = [await open(port, {}), await open(port, { serverMaxWindowBits: 10 }), await open(port, false)];
      for (const client of clients) await client.ask({ type: 'subscribe', payload: {} });
      await source.letGo();
      await expect.poll(() => source.getState().status, PATIENT).toBe('ended');
      const { published } = source.getState();
      for (const client of clients) await client.until(() => client.data.length >= published, `${published} frames`);
      for (const { data } of clients) expect(data).toEqual(clients[2]!.data);
      expect(clients[2]!.data).toHaveLength(published);
      // Those that hardly kept up got some of it plain.
      expect(await metric(port, 'tickcast_compression_frames_total')).toBeGreaterThan(0);
    });
  }

  it('inflates what a client sends, and no more than it takes from others', async () => {
    const { port } = await start();
    const client = await open(port, { threshold: 0 });
    expect(client.socket.extensions).toBe('permessage-deflate');
    expect(await client.ask({ type: 'ping', payload: { text: 'x'.repeat(5_000) } })).toMatchObject({ type: 'pong' });
    client.send('x'.repeat(2 * MIB));
    expect(await client.untilClosed()).toMatchObject({ code: 1009 });
  });

  it.each([
    ['off', { mode: 'off' }],
    ['shared, with fewer clients than it takes', { minMembers: 2 }],
    ['shared, on a shard that has no time', { maxUtilization: 0 }],
  ] as const)('sends plain frames where the mode is %s', async (_, options) => {
    const { port, source } = await start(options);
    const client = await open(port, {});
    expect(client.socket.extensions).toBe(_ === 'off' ? '' : 'permessage-deflate');
    await client.ask({ type: 'subscribe', payload: {} });
    // A shard knows how busy it was after its first second.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    for (let i = 0; i < 20; i++) source.publish('trade', 'A', { price: i });
    await client.until(() => client.data.length === 20, 'the frames');
    expect(await metric(port, 'tickcast_compression_frames_total')).toBe(0);
    expect(source.problemsOf(client)).toEqual([]);
  });

  it('is understood by Chromium', LONG, async () => {
    const { port, source } = await start();
    const page = await BrowserPage.open(port);
    expect(await page.subscribe()).toMatch(/^permessage-deflate/);
    const early = await open(port, {});
    await early.ask({ type: 'subscribe', payload: {} });
    publishSome(source, new SeededRandom(7), 500);
    await early.until(() => early.data.length === 500, 'all');
    expect(await page.dataTexts(500)).toEqual(early.data.map((message) => JSON.stringify(message)));
    expect(await metric(port, 'tickcast_compression_frames_total')).toBeGreaterThanOrEqual(500);
  });

  it('is understood by a client in Python', LONG, async () => {
    const { port, source } = await start();
    const plain = await open(port, false);
    await plain.ask({ type: 'subscribe', payload: {} });
    const python = inflateInPython(port, 500);
    await python.subscribed;
    publishSome(source, new SeededRandom(8), 500);
    await plain.until(() => plain.data.length === 500, 'all');
    expect(await python.texts).toEqual(plain.data.map((message) => JSON.stringify(message)));
    expect(await metric(port, 'tickcast_compression_frames_total')).toBeGreaterThanOrEqual(450);
  });
});

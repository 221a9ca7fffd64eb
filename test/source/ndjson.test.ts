import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import { NdjsonSource } from '../../src/source/ndjson.ts';
import { CollectingSink } from '../support/collecting-sink.ts';

type Options = Config['source']['ndjson'];

const PATIENCE_MS = 20_000;

let folder: string;
let path: string;
let source: NdjsonSource;
let sink: CollectingSink;
let feeders: net.Socket[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickcast-ndjson-'));
  path = join(folder, 'feed.sock');
  sink = new CollectingSink();
  feeders = [];
});

afterEach(async () => {
  for (const feeder of feeders) feeder.destroy();
  await source.stop();
  rmSync(folder, { recursive: true });
});

async function start(options: Partial<Options>, input?: PassThrough): Promise<void> {
  source = new NdjsonSource(
    { port: 0, path: '', connect: '', numbering: '', lineBytes: 1_000, connections: 16, ...options },
    input,
  );
  await source.start(sink);
}

async function fed(input: string | Buffer, options: Partial<Options> = {}): Promise<CollectingSink> {
  const stream = new PassThrough();
  await start(options, stream);
  stream.end(input);
  await vi.waitFor(() => expect(sink.endings).toBe(1), PATIENCE_MS);
  return sink;
}

async function connect(to: net.NetConnectOpts): Promise<net.Socket> {
  const feeder = net.connect(to);
  feeder.on('error', () => {});
  feeders.push(feeder);
  await new Promise((resolve, reject) => feeder.once('connect', resolve).once('error', reject));
  return feeder;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const published = (count: number) => vi.waitFor(() => expect(sink.publications).toHaveLength(count), PATIENCE_MS);
const rejected = (count: number) => vi.waitFor(() => expect(sink.problems).toHaveLength(count), PATIENCE_MS);
const told = () => sink.problems.map(({ code, detail }) => [code, detail?.feeder, detail?.line]);

describe('NdjsonSource on standard input', () => {
  it('publishes each line as it was parsed', async () => {
    const input = '{"type":"trade","data":null,"x":[1]}\n{"symbol":"ä€😀"}\r\n\n  \n{}\n';
    await fed(input);
    expect(sink.publications).toEqual([{ type: 'trade', data: null, x: [1] }, { symbol: 'ä€😀' }, {}]);
    expect(sink.problems).toEqual([]);
    expect(source.getState()).toMatchObject({
      status: 'ended',
      published: 3,
      rejected: 0,
      bytesRead: Buffer.byteLength(input),
    });
  });

  it('rejects what is not a JSON object, with its line number, and goes on', async () => {
    await fed('{"a":1}\n[1]\n5\nnull\n"x"\n{"a":\nwords\n{"a":2}\n');
    expect(sink.publications).toEqual([{ a: 1 }, { a: 2 }]);
    expect(told()).toEqual([2, 3, 4, 5, 6, 7].map((line) => ['SOURCE_LINE_INVALID', 1, line]));
    expect(source.getState().rejected).toBe(6);
  });

  it('takes a last line without an end when it is whole, and rejects it when it is not', async () => {
    await fed('{"a":1}\n{"a":2}');
    expect(sink.publications).toEqual([{ a: 1 }, { a: 2 }]);
    await source.stop();
    sink = new CollectingSink();
    await fed('{"a":1}\n{"a":');
    expect(sink.publications).toEqual([{ a: 1 }]);
    expect(told()).toEqual([['SOURCE_LINE_INVALID', 1, 2]]);
  });

  it('keeps a partial line until the rest comes', async () => {
    const stream = new PassThrough();
    await start({}, stream);
    stream.write('{"a":1}\n{"sym');
    await published(1);
    stream.write('bol":"B"}');
    stream.write('\n');
    await published(2);
    expect(sink.publications[1]).toEqual({ symbol: 'B' });
  });

  it('rejects a line over the limit once and reads on after it', async () => {
    await fed(`{"a":"${'x'.repeat(5_000)}"}\n{"a":2}\n`);
    expect(told()).toEqual([['SOURCE_LINE_TOO_LONG', 1, 1]]);
    expect(sink.publications).toEqual([{ a: 2 }]);
  });

  it('rejects a line that is not UTF-8', async () => {
    await fed(Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n{"a":2}\n')]));
    expect(told()).toEqual([['SOURCE_LINE_INVALID', 1, 1]]);
    expect(sink.publications).toEqual([{ a: 2 }]);
  });

  it('passes over a byte order mark', async () => {
    await fed('\ufeff{"a":1}\n');
    expect(sink.publications).toEqual([{ a: 1 }]);
  });

  it('tells only the beginning of a bad line', async () => {
    await fed(`{"secret":"${'x'.repeat(500)}\n`);
    expect(sink.problems[0]?.detail?.preview).toHaveLength(80);
  });

  it('reads no further while the gateway is congested, and goes on afterwards', async () => {
    const stream = new PassThrough();
    sink.isCongested = true;
    await start({}, stream);
    const lines = `${'{"a":1}\n'.repeat(10_000)}`;
    for (let part = 0; part < 10; part++) stream.write(lines);
    await vi.waitFor(() => expect(source.getState().bytesRead).toBeGreaterThan(0), PATIENCE_MS);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(sink.publications).toHaveLength(0);
    expect(source.getState().bytesRead).toBeLessThan(lines.length * 2);
    expect(stream.writableLength + stream.readableLength).toBeGreaterThan(lines.length * 7);
    sink.isCongested = false;
    await published(100_000);
  });

  it('lets the event loop go round while a feeder floods it', async () => {
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    await fed('{"type":"trade","data":{"price":1}}\n'.repeat(100_000));
    clearInterval(counting);
    expect(sink.publications).toHaveLength(100_000);
    expect(turns).toBeGreaterThan(5);
  });

  it('publishes nothing after a stop from within a publication', async () => {
    const stream = new PassThrough();
    sink.publish = (publication) => {
      sink.publications.push(publication);
      void source.stop();
    };
    await start({}, stream);
    stream.write('{"a":1}\n{"a":2}\n{"a":3}\n');
    await published(1);
    stream.write('{"a":4}\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sink.publications).toHaveLength(1);
    expect(source.getState()).toMatchObject({ status: 'stopped', published: 1 });
    expect(sink.endings).toBe(0);
  });

  it('reads on from its input after a stop, and leaves no listeners behind', async () => {
    const stream = new PassThrough();
    const listeners = () => ['data', 'end', 'close', 'error'].map((event) => stream.listenerCount(event));
    await start({}, stream);
    stream.write('{"a":0}\n');
    await published(1);
    await source.stop();
    const afterFirst = listeners();
    for (let round = 1; round <= 5; round++) {
      await source.start(sink);
      stream.write(`{"a":${round}}\n`);
      await published(round + 1);
      await source.stop();
      stream.write('\n');
    }
    expect(listeners()).toEqual(afterFirst);
    expect(sink.problems).toEqual([]);
    expect(source.getState()).toMatchObject({ status: 'stopped', published: 6 });
  });

  it('has ended at once when its input has', async () => {
    const stream = new PassThrough();
    stream.end();
    stream.resume();
    await new Promise((resolve) => stream.once('end', resolve));
    await start({}, stream);
    await vi.waitFor(() => expect(sink.endings).toBe(1), PATIENCE_MS);
  });
});

describe('NdjsonSource on a socket', () => {
  it('reads from many feeders at once, on a Unix socket and a loopback port', async () => {
    const port = await freePort();
    await start({ path, port });
    const some = await Promise.all([connect({ path }), connect({ path }), connect({ port, host: '127.0.0.1' })]);
    some.forEach((feeder, index) => {
      feeder.write(`{"feeder":${index}}\n{"half":`);
    });
    await published(3);
    for (const feeder of some) feeder.end('1}\n');
    await published(6);
    expect(new Set(sink.publications.slice(0, 3).map(({ feeder }) => feeder))).toEqual(new Set([0, 1, 2]));
    expect(sink.endings).toBe(0);
    expect(source.getState().status).toBe('active');
  });

  it('tells feeders apart when it rejects a line', async () => {
    await start({ path });
    const first = await connect({ path });
    first.write('bad\n');
    await rejected(1);
    const second = await connect({ path });
    second.write('{}\nbad\n');
    await rejected(2);
    expect(told()).toEqual([
      ['SOURCE_LINE_INVALID', 1, 1],
      ['SOURCE_LINE_INVALID', 2, 2],
    ]);
  });

  it('refuses more feeders than allowed, and takes others when one has gone', async () => {
    await start({ path, connections: 1 });
    const first = await connect({ path });
    first.write('{}\n');
    await published(1);
    const refused = await connect({ path });
    await new Promise((resolve) => refused.once('close', resolve));
    await rejected(1);
    expect(sink.problems[0]).toMatchObject({ code: 'SOURCE_FEEDER_REFUSED', detail: { connections: 1 } });
    first.end();
    await new Promise((resolve) => first.once('close', resolve));
    const next = await connect({ path });
    next.write('{}\n');
    await published(2);
  });

  it('survives a feeder that breaks off', async () => {
    const port = await freePort();
    await start({ port });
    const broken = await connect({ port, host: '127.0.0.1' });
    broken.write('{"a":1}\n{"a"');
    await published(1);
    broken.resetAndDestroy();
    await rejected(1);
    expect(told()).toEqual([['SOURCE_LINE_INVALID', 1, 2]]);
    const next = await connect({ port, host: '127.0.0.1' });
    next.write('{"a":2}\n');
    await published(2);
  });

  it('gives quiet feeders their turn beside one that floods', async () => {
    await start({ path });
    const flood = await connect({ path });
    const quiet = await connect({ path });
    flood.write('{"flood":1}\n'.repeat(300_000));
    await vi.waitFor(() => expect(sink.publications.length).toBeGreaterThan(0), PATIENCE_MS);
    quiet.write('{"quiet":1}\n');
    await published(300_001);
    const at = sink.publications.findIndex((publication) => 'quiet' in publication);
    expect(at).toBeLessThan(290_000);
  });

  it('makes a socket file for its own user only, and removes it at the stop', async () => {
    await start({ path });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await source.stop();
    expect(existsSync(path)).toBe(false);
    expect(source.getState().status).toBe('stopped');
  });

  it('replaces a socket file that nobody listens on', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    // What a killed process leaves: the file without its listener.
    renameSync(path, `${path}.kept`);
    await new Promise((resolve) => server.close(resolve));
    renameSync(`${path}.kept`, path);
    await start({ path });
    const feeder = await connect({ path });
    feeder.write('{}\n');
    await published(1);
  });

  it('leaves the socket file of another listener alone', async () => {
    const server = net.createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await expect(start({ path })).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: expect.stringContaining('another program listens there'),
    });
    expect(existsSync(path)).toBe(true);
    expect(source.getState().status).toBe('failed');
    await new Promise((resolve) => server.close(resolve));
  });

  it('leaves a file that is no socket alone', async () => {
    writeFileSync(path, 'precious');
    await expect(start({ path })).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
    expect(statSync(path).isFile()).toBe(true);
  });

  it('says which port is taken', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    await expect(start({ port, path })).rejects.toMatchObject({ code: 'PORT_IN_USE', detail: { port } });
    expect(existsSync(path)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
  });

  it('starts again on the same path after a stop', async () => {
    await start({ path });
    await source.stop();
    await source.start(sink);
    const feeder = await connect({ path });
    feeder.write('{}\n');
    await published(1);
  });

  it('leaves nothing behind when it is stopped while it starts', async () => {
    source = new NdjsonSource({ port: 0, path, connect: '', numbering: '', lineBytes: 1_000, connections: 1 });
    const starting = source.start(sink);
    await source.stop();
    await starting;
    expect(existsSync(path)).toBe(false);
    expect(source.getState().status).toBe('stopped');
  });
});

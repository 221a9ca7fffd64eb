import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { load } from '../../perf/load/load.ts';
import { type LoadOptions, parseLoadOptions } from '../../perf/load/load-options.ts';

/** A server that publishes to everybody every 5 ms; what it says is up to the test. */
class TinyServer {
  readonly http = createServer();
  readonly sockets = new WebSocketServer({ server: this.http, path: '/ws' });
  readonly received: string[] = [];
  readonly pongs: string[] = [];
  readonly closes: number[] = [];
  seq = 0;
  nextSeq = () => ++this.seq;
  onConnection: (socket: WebSocket) => void = () => {};
  readonly #accepted: Socket[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    this.http.on('connection', (socket) => this.#accepted.push(socket));
    this.sockets.on('connection', (socket) => {
      socket.on('message', (data) => this.received.push(String(data)));
      socket.on('pong', (data) => this.pongs.push(String(data)));
      socket.on('close', (code) => this.closes.push(code));
      socket.on('error', () => {});
      this.onConnection(socket);
    });
  }

  async listen(): Promise<number> {
    this.http.listen(0, '127.0.0.1');
    await once(this.http, 'listening');
    this.#timer = setInterval(() => this.publish(), 5);
    return (this.http.address() as AddressInfo).port;
  }

  publish(): void {
    const seq = this.nextSeq();
    const data = { ts: Math.round((performance.timeOrigin + performance.now()) * 1000) };
    const text = `{"type":"trade","payload":{"data":${JSON.stringify(data)}},"seq":${seq},"prevSeq":${seq - 1}}`;
    for (const socket of this.sockets.clients) socket.send(text);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.http.close();
    for (const socket of this.#accepted) socket.destroy();
    await once(this.http, 'close');
  }
}

describe('load', () => {
  let server: TinyServer;
  let port: number;

  beforeEach(async () => {
    server = new TinyServer();
    port = await server.listen();
  });
  afterEach(() => server.close());

  const options = (given: Partial<LoadOptions>): LoadOptions => ({
    ...parseLoadOptions(['--seconds', '0.4', '--warmup-s', '0.1', '--sample-every', '1', '--connections', '5']),
    port,
    ...given,
  });

  it('opens all connections, subscribes each and counts what it gets', async () => {
    const report = await load(options({ subscribe: 'filter', symbols: 10, symbolsEach: 2, pids: [process.pid] }));
    expect(report).toMatchObject({ asked: 5, opened: 5, failed: 0, failures: {}, closed: 0, orderErrors: 0 });
    expect(report).toMatchObject({ protocolErrors: 0, generator: { processes: 1 } });
    expect(report.deliveries).toBeGreaterThan(0);
    expect(report.perConnection.most).toBeGreaterThan(0);
    expect(report.perConnection.most).toBeLessThan(server.seq + 1);
    expect(report.perConnection.mean * 5).toBeCloseTo(report.deliveries, 0);
    expect(report.latencyUs.count).toBe(report.deliveries);
    expect(report.connectUs.count).toBe(5);
    expect(report.sequenceSamples).toBeGreaterThanOrEqual(report.deliveries);
    expect(report.server?.residentMib).toBeGreaterThan(0);
    const firstSymbols = server.received.map((text) => JSON.parse(text).payload.symbols[0]);
    expect(firstSymbols.sort()).toEqual(['SYM0', 'SYM1', 'SYM2', 'SYM3', 'SYM4']);
  });

  it('says goodbye with 1000 at the end', async () => {
    await load(options({ subscribe: 'none' }));
    await expect.poll(() => server.closes).toEqual([1000, 1000, 1000, 1000, 1000]);
    expect(server.received).toEqual([]);
  });

  it('answers PING with what it carried', async () => {
    server.onConnection = (socket) => socket.ping('are you there');
    await load(options({}));
    expect(server.pongs).toEqual(new Array(5).fill('are you there'));
  });

  it('reports messages whose seq does not grow', async () => {
    server.nextSeq = () => 7;
    const report = await load(options({ connections: 1 }));
    expect(report.orderErrors).toBeGreaterThan(0);
  });

  it('reports connections that the server closes, with their codes', async () => {
    let count = 0;
    server.onConnection = (socket) => {
      if (++count <= 2) socket.close(1013, 'busy');
      if (count === 3) socket.terminate();
    };
    const report = await load(options({}));
    expect(report).toMatchObject({ opened: 5, failed: 0, closed: 3, closeCodes: { 1013: 2, 1006: 1 } });
    expect(report.deliveries).toBeGreaterThan(0);
  });

  it('reports connections that break the protocol', async () => {
    server.onConnection = (socket) => {
      (socket as unknown as { _socket: Socket })._socket.write(Buffer.from([0xff, 0xff]));
    };
    expect(await load(options({}))).toMatchObject({ opened: 5, protocolErrors: 5, closed: 5 });
  });

  it('reports a refused handshake and goes on with the others', async () => {
    const report = await load(options({ path: '/elsewhere' }));
    expect(report).toMatchObject({ opened: 0, failed: 5, deliveries: 0, failures: { 'HTTP/1.1 400 Bad Request': 5 } });
  });

  it('gives up on connections that do not open in time', async () => {
    server.http.removeAllListeners('upgrade');
    server.http.on('upgrade', () => {});
    const report = await load(options({ connectTimeoutS: 1, seconds: 0.1 }));
    expect(report).toMatchObject({ opened: 0, failed: 5, failures: { 'not open in time': 5 } });
  });

  it('lets slow readers read slowly', async () => {
    const report = await load(options({ connections: 2, slow: 1, slowBytes: 16, slowIntervalMs: 60_000 }));
    const [slow, fast] = [report.deliveries - report.perConnection.most, report.perConnection.most];
    expect(fast).toBeGreaterThan(3);
    expect(slow).toBeLessThan(fast);
    expect(report.perConnection.least).toBe(fast);
  });

  it('keeps apart what does not read, and lets it read at the end', async () => {
    const report = await load(options({ connections: 3, stalled: 1, drainS: 0.5 }));
    expect(report).toMatchObject({ opened: 3, failed: 0, closed: 0, orderErrors: 0 });
    expect(report.perConnection.mean * 2).toBe(report.deliveries);
    expect(report.latencyUs.count).toBe(report.deliveries);
    expect(report.stalled).toMatchObject({ opened: 1, closed: 0, closeCodes: {}, gaps: 0 });
    expect(report.stalled?.messages).toBeGreaterThan(report.perConnection.most);
  });

  it('reports that stalled connections were closed as nothing that went wrong', async () => {
    let count = 0;
    server.onConnection = (socket) => {
      if (++count === 1) setTimeout(() => socket.close(1013, 'Slow consumer'), 50);
    };
    const report = await load(options({ connections: 2, connectRate: 1, stalled: 1 }));
    expect(report).toMatchObject({ opened: 2, failed: 0, closed: 0, closeCodes: {} });
    expect(report.stalled).toMatchObject({ opened: 1, closed: 1, closeCodes: { 1013: 1 } });
    expect(report.deliveries).toBe(report.perConnection.most);
  });

  it('counts gaps and what they tell of, and what was merged or restated', async () => {
    const payload = {
      exchange: 'x',
      symbol: 'y',
      dataType: 'trade',
      fromSeq: 1,
      toSeq: 9,
      count: 4,
      reason: 'slow_consumer',
    };
    server.onConnection = (socket) => {
      socket.send(JSON.stringify({ type: 'gap', payload, timestamp: 1 }));
      socket.send('{"type":"ticker","payload":{},"seq":1000000,"prevSeq":0,"snapshot":true}');
      socket.send('{"type":"ticker","payload":{},"seq":0,"prevSeq":0,"merged":3}');
    };
    const report = await load(options({ connections: 4, stalled: 1 }));
    const told = { mergedSampled: 3, snapshotsSampled: 3 };
    expect(report).toMatchObject({ orderErrors: 0, gaps: 3, gapPublications: 12, connectionsWithGap: 3, ...told });
    expect(report.stalled).toMatchObject({ gaps: 1, gapPublications: 4, connectionsWithGap: 1 });
  });

  it('reports latencies by intervals', async () => {
    const report = await load(options({ connections: 2, intervalMs: 100 }));
    const counts = report.timeline?.map(({ latency }) => latency.buckets.reduce((sum, [, count]) => sum + count, 0));
    expect(counts?.length).toBeGreaterThan(2);
    expect(counts?.reduce((sum, count) => sum + count, 0)).toBe(report.latencyUs.count);
    expect(report.timeline?.every(({ atMs }) => atMs % 100 === 0)).toBe(true);
  });

  it('adds up what several processes did', async () => {
    const report = await load(options({ connections: 7, processes: 2, seconds: 1 }));
    expect(report).toMatchObject({ asked: 7, opened: 7, failed: 0, orderErrors: 0, generator: { processes: 2 } });
    expect(report.latencyUs.count).toBe(report.deliveries);
    expect(report.deliveries).toBeGreaterThan(7);
    expect(report.connectUs.count).toBe(7);
  });
});

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { storm } from '../../perf/storm/storm.ts';
import { parseStormOptions, type StormOptions } from '../../perf/storm/storm-options.ts';

interface Published {
  seq: number;
  symbol: string;
  text: string;
}

/** A gateway as small as can be: two topics, a history without end, and resumes that a test may spoil. */
class TinyGateway {
  readonly server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  readonly resumePoints: number[] = [];
  /** What becomes of a resume. */
  outcome: { resumed: boolean; reason?: string } = { resumed: true };
  replayOf = (missed: Published[]) => missed;
  readonly #history: Published[] = [];
  readonly #last = new Map<string, number>();
  readonly #timer = setInterval(() => this.#publish(), 5);

  constructor() {
    this.server.on('connection', (socket) => {
      socket.send(JSON.stringify({ type: 'welcome', payload: { epoch: 'e1' }, timestamp: 1 }));
      socket.on('message', (data) => this.#subscribe(socket, JSON.parse(String(data)).payload));
      socket.on('error', () => {});
    });
  }

  async listen(): Promise<number> {
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of this.server.clients) socket.terminate();
    this.server.close();
    await once(this.server, 'close');
  }

  #publish(): void {
    const seq = this.#history.length + 1;
    const symbol = `SYM${seq % 2}`;
    const prevSeq = this.#last.get(symbol) ?? 0;
    this.#last.set(symbol, seq);
    const text = `{"type":"trade","payload":{"symbol":"${symbol}"},"seq":${seq},"prevSeq":${prevSeq}}`;
    this.#history.push({ seq, symbol, text });
    for (const socket of this.server.clients) {
      if ((socket as WebSocket & { subscribed?: boolean }).subscribed) socket.send(text);
    }
  }

  #subscribe(socket: WebSocket, payload: { resume?: { epoch: string; seq: number } }): void {
    const answer: Record<string, unknown> = { seq: this.#history.length };
    let replay: Published[] = [];
    if (payload.resume !== undefined) {
      const { seq } = payload.resume;
      this.resumePoints.push(seq);
      replay = this.outcome.resumed ? this.replayOf(this.#history.filter((one) => one.seq > seq)) : [];
      Object.assign(answer, this.outcome, this.outcome.resumed ? { replayed: replay.length } : {});
    }
    socket.send(JSON.stringify({ type: 'subscribed', payload: answer, timestamp: 1 }));
    for (const { text } of replay) socket.send(text);
    Object.assign(socket, { subscribed: true });
  }
}

describe('storm', () => {
  let gateway: TinyGateway;
  let port: number;

  beforeEach(async () => {
    gateway = new TinyGateway();
    port = await gateway.listen();
  });
  afterEach(() => gateway.close());

  const CLIENTS = 12;
  const run = (given: Partial<StormOptions> = {}) => {
    const times = { beforeS: 0.1, awayMs: 100, afterS: 0.05, timeoutS: 5 };
    return storm({ ...parseStormOptions([]), port, clients: CLIENTS, ...times, ...given });
  };

  it('lets all leave and come back, and finds that they got what they missed', async () => {
    const report = await run();
    const all = { joined: CLIENTS, rejoined: CLIENTS, caughtUp: CLIENTS, resumed: CLIENTS };
    expect(report).toMatchObject({ ...all, failures: {}, refusals: {}, missing: 0, repeated: 0, gaps: 0 });
    expect(report.replayed).toBeGreaterThanOrEqual(CLIENTS);
    expect(Math.min(...gateway.resumePoints)).toBeGreaterThan(0);
    expect(report.caughtUpUs.count).toBe(CLIENTS);
    const { steadyFromMs, leftMs, rejoinedMs, caughtUpMs } = report;
    expect([steadyFromMs, leftMs, rejoinedMs, caughtUpMs].sort((a, b) => a - b)).toEqual([
      steadyFromMs,
      leftMs,
      rejoinedMs,
      caughtUpMs,
    ]);
  });

  it('finds a frame that was not replayed', async () => {
    gateway.replayOf = (missed) => missed.slice(1);
    expect(await run()).toMatchObject({ missing: CLIENTS, repeated: 0 });
  });

  it('tells why resumes were refused', async () => {
    gateway.outcome = { resumed: false, reason: 'HISTORY_TOO_SHORT' };
    expect(await run()).toMatchObject({ resumed: 0, refusals: { HISTORY_TOO_SHORT: CLIENTS }, caughtUp: CLIENTS });
  });

  it('comes back without resuming', async () => {
    const report = await run({ resumes: 0 });
    expect(report).toMatchObject({ resumed: 0, refusals: {}, replayed: 0, caughtUp: CLIENTS, missing: 0 });
    expect(gateway.resumePoints).toEqual([]);
  });

  it('says who did not come back', async () => {
    let connections = 0;
    gateway.server.on('connection', (socket) => {
      if (++connections > CLIENTS) socket.close(1013);
    });
    const failures = { 'closed with 1013': CLIENTS };
    expect(await run()).toMatchObject({ joined: CLIENTS, rejoined: 0, caughtUp: 0, failures });
  });
});

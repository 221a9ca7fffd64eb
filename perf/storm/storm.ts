import { setTimeout as sleep } from 'node:timers/promises';
import type { HistogramSummary } from '../../src/telemetry/histogram.ts';
import { followSteps, nowUs } from '../../src/util/clock.ts';
import { LatencyHistogram } from '../load/latency-histogram.ts';
import { StormClient } from './storm-client.ts';
import type { StormOptions } from './storm-options.ts';

const TICK_MS = 5;
const JOINS_PER_TICK = 10;
const READ_BYTES = 128 * 1024;
const EXCHANGE = 'binance';
const PREFIX = 'SYM';

/** The line that `perf/storm/main.ts` prints. Moments in ms since the epoch. */
export interface StormReport {
  clients: number;
  /** Clients that subscribed, before and after they were away. */
  joined: number;
  rejoined: number;
  /** Why connections were lost or not open in time. */
  failures: Record<string, number>;
  steadyFromMs: number;
  leftMs: number;
  rejoinedMs: number;
  /** When the last had caught up, or the time was up. */
  caughtUpMs: number;
  caughtUp: number;
  /** From the beginning of the storm to the reply, and to having caught up, µs. */
  subscribedUs: HistogramSummary;
  caughtUpUs: HistogramSummary;
  resumed: number;
  /** Why others were not. */
  refusals: Record<string, number>;
  /** What the gateway said it would replay, over all clients. */
  replayed: number;
  snapshots: number;
  gaps: number;
  repeated: number;
  missing: number;
}

/** Lets the clients join, leave all at once and come back all at once. Never rejects for what a server does. */
export async function storm(options: StormOptions): Promise<StormReport> {
  return new Storm(options).run();
}

class Storm {
  readonly #options: StormOptions;
  readonly #clients: StormClient[];
  #subscribed = 0;
  #caughtUp = 0;
  #lost = 0;

  constructor(options: StormOptions) {
    const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
    this.#options = options;
    this.#clients = Array.from(
      { length: options.clients },
      (_, index) =>
        new StormClient({
          port: options.port,
          readBuffer,
          filter: { exchange: [EXCHANGE], symbols: symbolsOf(options, index) },
          onSubscribed: () => this.#subscribed++,
          onCaughtUp: () => this.#caughtUp++,
          onLost: () => this.#lost++,
        }),
    );
  }

  async run(): Promise<StormReport> {
    const { beforeS, awayMs, afterS, resumes } = this.#options;
    await this.#joinAll();
    const joined = this.#subscribed;
    const steadyFromMs = nowUs() / 1000;
    await sleep(beforeS * 1000);
    const leftMs = nowUs() / 1000;
    for (const client of this.#clients) client.leave();
    await sleep(awayMs);
    followSteps();
    this.#subscribed = 0;
    this.#lost = 0;
    const rejoinedMs = nowUs() / 1000;
    for (const client of this.#clients) client.rejoin(resumes === 1);
    await this.#until(() => this.#caughtUp + this.#lost >= this.#clients.length);
    const caughtUpMs = nowUs() / 1000;
    await sleep(afterS * 1000);
    for (const client of this.#clients) client.leave();
    return { ...this.#report(rejoinedMs), joined, steadyFromMs, leftMs, rejoinedMs, caughtUpMs };
  }

  async #joinAll(): Promise<void> {
    for (let at = 0; at < this.#clients.length; at += JOINS_PER_TICK) {
      for (const client of this.#clients.slice(at, at + JOINS_PER_TICK)) client.join();
      await sleep(TICK_MS);
    }
    await this.#until(() => this.#subscribed + this.#lost >= this.#clients.length);
  }

  async #until(isDone: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + this.#options.timeoutS * 1000;
    while (!isDone() && performance.now() < deadlineMs) await sleep(TICK_MS);
  }

  #report(rejoinedMs: number) {
    const all = this.#clients;
    const sum = (of: (client: StormClient) => number) => all.reduce((total, client) => total + of(client), 0);
    const since = (of: (client: StormClient) => number) => {
      const histogram = new LatencyHistogram();
      for (const client of all) if (of(client) > 0) histogram.record(of(client) - rejoinedMs * 1000);
      return histogram.summary();
    };
    return {
      clients: all.length,
      rejoined: this.#subscribed,
      failures: countsOf(all.map(({ failure, subscribedUs }) => failure || (subscribedUs > 0 ? '' : 'not in time'))),
      caughtUp: this.#caughtUp,
      subscribedUs: since((client) => client.subscribedUs),
      caughtUpUs: since((client) => client.caughtUpUs),
      resumed: sum(({ wasResumed }) => (wasResumed ? 1 : 0)),
      refusals: countsOf(all.map(({ refusal = '' }) => refusal)),
      replayed: sum(({ replayed }) => replayed),
      snapshots: sum(({ snapshots }) => snapshots),
      gaps: sum(({ gaps }) => gaps),
      repeated: sum(({ check }) => check.repeated),
      missing: sum(({ check }) => check.missing),
    };
  }
}

/** Spread over the clients as those of the load generator are. */
function symbolsOf({ symbols, symbolsEach }: StormOptions, index: number): string[] {
  return Array.from({ length: symbolsEach }, (_, s) => `${PREFIX}${(index + 7 * s) % symbols}`);
}

function countsOf(reasons: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reason of reasons) if (reason !== '') counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

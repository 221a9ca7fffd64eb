import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { catchUp } from '../../perf/truth/catch-up.ts';
import { CheckedClient } from '../../perf/truth/checked-client.ts';
import { startGatewayUnderTest } from '../../perf/truth/gateway-under-test.ts';
import { logOfMarket } from '../../perf/truth/market-log.ts';
import type { GivenFilter } from '../../perf/truth/naive-matcher.ts';
import { truthReport } from '../../perf/truth/truth-report.ts';
import type { WireMessage } from '../../perf/truth/wire-message.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';

const CLIENTS = 100;
const KILLS = 20;
const SYMBOLS = 10;
const FRAMES_BEFORE_KILL_MAX = 40;
const KILL_AFTER_MS_MAX = 250;

/** The frame as it was published: everything before its numbers, which a slow client's frames add to. */
function published(text: string): string {
  return text.slice(0, text.lastIndexOf(',"seq":'));
}

/** What a client has got, without what it has to ignore: seq and text of each frame. */
class Kept {
  readonly client: CheckedClient;
  readonly frames: string[] = [];
  readonly #last = new Map<string, number>();
  #untilKill = 0;

  constructor(port: number, name: string) {
    const onMessage = (message: WireMessage, text: string) => this.#take(message, text);
    // Nothing may be merged, so that what is replayed and what is not are the same bytes.
    this.client = new CheckedClient({
      port,
      client: name,
      isNumbered: true,
      conflation: { latest: [], book: [] },
      onMessage,
    });
  }

  async subscribe(filter: GivenFilter): Promise<void> {
    await this.client.open();
    expect(await this.client.subscribe(filter)).toMatchObject({ type: 'subscribed' });
  }

  /** Loses its connection once, in the middle of some read or between two, and gets it back. */
  async kill(random: SeededRandom): Promise<void> {
    this.#untilKill = random.between(1, FRAMES_BEFORE_KILL_MAX);
    const deadlineMs = performance.now() + random.below(KILL_AFTER_MS_MAX);
    while (this.client.isOpen && performance.now() < deadlineMs) await sleep(5);
    this.client.reset();
    while (!(await this.client.restore())) await sleep(5);
  }

  #take({ seq, payload }: WireMessage, text: string): void {
    if (seq === undefined) return;
    const topic = `${payload.exchange} ${payload.symbol} ${payload.type} ${(payload.data as { interval?: string }).interval}`;
    if (seq > (this.#last.get(topic) ?? 0)) {
      this.#last.set(topic, seq);
      this.frames.push(`${seq} ${published(text)}`);
    }
    if (this.#untilKill > 0 && --this.#untilKill === 0) this.client.reset();
  }
}

describe('a connection that is killed and resumes', () => {
  it(`gets what an undisturbed witness got, ${CLIENTS} of them ${KILLS} times each, under load`, async () => {
    const random = new SeededRandom(seedOfRun('resume'));
    const market = { seed: random.seed, symbols: SYMBOLS, padding: 50 };
    const options = {
      shards: 2,
      server: { port: 0, host: '127.0.0.1' },
      source: { kind: 'none' },
      limits: { commandsPerSecond: 0, pendingMessages: 0, pendingBytes: 0 },
      conflation: { latest: [], book: [] },
    } as const;
    const server = await startGatewayUnderTest(options, market);
    onTestFinished(() => server.stop());
    const filters = Array.from({ length: SYMBOLS }, (_, n) => ({ symbols: [`S${n}/USD`] }));
    const witnesses = filters.map((_, n) => new Kept(server.port, `witness ${n}`));
    const clients = Array.from({ length: CLIENTS }, (_, n) => new Kept(server.port, `client ${n}`));
    await Promise.all(witnesses.map((witness, n) => witness.subscribe(filters[n]!)));
    await Promise.all(clients.map((client, n) => client.subscribe(filters[n % SYMBOLS]!)));

    server.publish({ ratePerS: 1_500, burstEveryMs: 0, burstPublications: 0 });
    await Promise.all(
      clients.map(async (client) => {
        for (let kill = 0; kill < KILLS; kill++) await client.kill(random);
      }),
    );
    const total = await server.pause();
    const everybody = [...witnesses, ...clients].map(({ client }) => client);
    expect((await Promise.all(everybody.map((client) => catchUp(client, total)))).filter(Boolean)).toEqual([]);

    for (const [n, { frames }] of clients.entries()) {
      const witnessed = witnesses[n % SYMBOLS]!.frames;
      // A sorted copy: a resumption may have gone back behind what one of several topics had got.
      expect([n, bySeq(frames)]).toEqual([n, witnessed]);
      expect(witnessed.length).toBeGreaterThan(0);
    }
    for (const client of everybody) client.reset();
    const report = truthReport(logOfMarket(market, total), everybody, [], { latest: [], book: [] });
    expect(report.problems).toEqual([]);
    expect(report.refusals).toEqual({});
    expect(report.account.merged).toBe(0);
    expect(report.account.dropped).toEqual({});
    expect(report.account.resumptions).toBeGreaterThanOrEqual(CLIENTS * KILLS);
  }, 60_000);
});

function bySeq(frames: readonly string[]): string[] {
  return frames.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}

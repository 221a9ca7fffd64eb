import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../perf/lib/free-port.ts';
import { catchUp } from '../../perf/truth/catch-up.ts';
import { CheckedClient } from '../../perf/truth/checked-client.ts';
import { ConservationJudge } from '../../perf/truth/conservation.ts';
import { USUAL_CONFLATION } from '../../perf/truth/delivery-policies.ts';
import { NumberedFeed } from '../support/numbered-feed.ts';
import { Pm2Cluster } from '../support/pm2-cluster.ts';
import { TestClient } from '../support/test-client.ts';
import { LoggedPublisher } from '../support/told-truth.ts';

/*
 * The gateway as operators run it: pm2, instances on one port, a feed that all of them read. Whatever happens to one instance,
 * the service goes on, and no client misses anything without being told.
 */
const PATIENT = { timeout: 30_000, interval: 50 };
const MIGRATION = '/proc/sys/net/ipv4/tcp_migrate_req';
const INSTANCES = 2;
const RELOADS = 10;
/** What sat in the queue of a listener that closed is reset by the kernel, where it does not hand it on. */
const RESET_A_CLOSE_MAX = 2;

interface Scene {
  port: number;
  feed: NumberedFeed;
  source: LoggedPublisher;
  cluster: Pm2Cluster;
}

async function start(options: { publishEveryMs: number }): Promise<Scene & { stopPublishing: () => void }> {
  const port = await freePort();
  const feed = await NumberedFeed.open();
  const cluster = await Pm2Cluster.start({
    TICKCAST_INSTANCES: String(INSTANCES),
    TICKCAST__SHARDS: '1',
    TICKCAST__SERVER__PORT: String(port),
    TICKCAST__SERVER__HOST: '127.0.0.1',
    TICKCAST__RING__BYTES: String(16 * 1024 * 1024),
    TICKCAST__SOURCE__KIND: 'ndjson',
    TICKCAST__SOURCE__NDJSON__CONNECT: feed.address,
    TICKCAST__SHUTDOWN__DRAINMS: '300',
  });
  await expect.poll(() => feed.connected, PATIENT).toBe(INSTANCES);
  const source = new LoggedPublisher(feed.publish);
  source.publish('trade', 'S0');
  const timer = setInterval(() => source.publish('trade', `S${source.seq % 8}`), options.publishEveryMs);
  const stopPublishing = () => clearInterval(timer);
  onTestFinished(stopPublishing);
  return { port, feed, source, cluster, stopPublishing };
}

/** Clients that stand, each with its filter, and come back where they were as often as it takes. */
class StandingClients {
  readonly clients: CheckedClient[];
  readonly #ends = new AbortController();
  readonly #lives: Promise<void>[] = [];

  private constructor(port: number, count: number) {
    this.clients = Array.from(
      { length: count },
      (_, n) => new CheckedClient({ client: `client ${n}`, port, isNumbered: true, isOneOfSeveral: true }),
    );
  }

  static async open(port: number, count: number): Promise<StandingClients> {
    const standing = new StandingClients(port, count);
    for (const [n, client] of standing.clients.entries()) {
      expect(await client.open()).toBe(true);
      await client.subscribe(n % 10 === 0 ? {} : { symbols: [`S${n % 8}`, `S${(n * 3) % 8}`] });
      standing.#lives.push(standing.#live(client));
    }
    onTestFinished(() => standing.#ends.abort());
    return standing;
  }

  async #live(client: CheckedClient): Promise<void> {
    while (!this.#ends.signal.aborted) {
      if (!client.isOpen) await client.restore();
      await sleep(20);
    }
  }

  /** What there is to say against all that they were told, once everything that was published has come. */
  async problems(source: LoggedPublisher): Promise<string[]> {
    this.#ends.abort();
    await Promise.all(this.#lives);
    const late = await Promise.all(this.clients.map((client) => catchUp(client, source.seq)));
    const judge = new ConservationJudge(source.log, USUAL_CONFLATION, true);
    for (const { checker } of this.clients) judge.judge(checker.record);
    const told = this.clients.flatMap(({ checker }) => checker.problems.list());
    for (const client of this.clients) client.reset();
    return [...late.filter((problem) => problem !== undefined), ...told, ...judge.problems.list()];
  }

  /** Over all of them. */
  sum(of: (client: CheckedClient) => Record<string, number>): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const client of this.clients) {
      for (const [key, count] of Object.entries(of(client))) sums[key] = (sums[key] ?? 0) + count;
    }
    return sums;
  }
}

/** Connects, waits for the welcome and goes, over and over. */
class Churn {
  connects = 0;
  readonly failures: string[] = [];
  readonly #ends = new AbortController();
  readonly #loops: Promise<void>[];

  constructor(port: number, side: number) {
    this.#loops = Array.from({ length: side }, () => this.#loop(port));
    onTestFinished(() => this.#ends.abort());
  }

  async #loop(port: number): Promise<void> {
    while (!this.#ends.signal.aborted) {
      this.connects++;
      try {
        const client = await TestClient.open(port, '/ws?subscription=none');
        await client.close();
      } catch (thrown) {
        this.failures.push(String(thrown));
      }
      await sleep(5);
    }
  }

  async end(): Promise<void> {
    this.#ends.abort();
    await Promise.all(this.#loops);
  }
}

/** Lets the kernel hand waiting connections to another listener, where it can and we may. Set back with the test. */
function migrateRequests(): boolean {
  try {
    const before = readFileSync(MIGRATION, 'utf8');
    writeFileSync(MIGRATION, '1');
    onTestFinished(() => writeFileSync(MIGRATION, before));
    return true;
  } catch {
    return false;
  }
}

describe('two instances under pm2', () => {
  it('are reloaded again and again: nobody is turned away, and clients that stand miss nothing', async () => {
    const migrates = migrateRequests();
    const { port, source, cluster, stopPublishing } = await start({ publishEveryMs: 10 });
    const standing = await StandingClients.open(port, 200);
    const churn = new Churn(port, 4);
    for (let n = 0; n < RELOADS; n++) await cluster.reload();
    await churn.end();
    stopPublishing();
    expect(await standing.problems(source)).toEqual([]);
    expect(churn.connects).toBeGreaterThan(500);
    const resetMax = migrates ? 0 : RELOADS * INSTANCES * RESET_A_CLOSE_MAX;
    expect(churn.failures.slice(0, 10)).toHaveLength(Math.min(churn.failures.length, resetMax));
    // Each reload takes both instances down, so everybody has moved at least as often as there were reloads.
    const { 1001: moves = 0, ...others } = standing.sum(({ closes }) => closes);
    expect(moves).toBeGreaterThanOrEqual(200 * RELOADS);
    expect(Object.keys(others).filter((code) => migrates || code !== '1006')).toEqual([]);
    expect(standing.sum(({ checker }) => checker.refusals)).toEqual({});
    expect((await cluster.instances()).map(({ status }) => status)).toEqual(['online', 'online']);
  }, 240_000);

  it('go on when one is killed: its clients resume at the other, and pm2 puts another in its place', async () => {
    const { port, source, cluster, stopPublishing } = await start({ publishEveryMs: 5 });
    const standing = await StandingClients.open(port, 40);
    const [victim] = await cluster.instances();
    process.kill(victim!.pid, 'SIGKILL');
    const { 1006: lost = 0 } = await expect
      .poll(() => standing.sum(({ closes }) => closes), PATIENT)
      .toMatchObject({ 1006: expect.any(Number) })
      .then(() => standing.sum(({ closes }) => closes));
    expect(lost).toBeGreaterThan(0);
    await expect
      .poll(() => cluster.instances(), PATIENT)
      .toEqual([
        { pid: expect.any(Number), status: 'online', restarts: 1 },
        { pid: expect.any(Number), status: 'online', restarts: 0 },
      ]);
    stopPublishing();
    expect(await standing.problems(source)).toEqual([]);
    // The one that was put in its place may have been there before the feed reached it; nobody else had to begin anew.
    expect(standing.sum(({ checker }) => checker.refusals)).toEqual({});
    expect(standing.clients.filter(({ checker }) => checker.connections > 1).length).toBeGreaterThanOrEqual(lost);
  }, 120_000);

  it('are replaced when one hangs: it fails its health check, ends itself, and says where it hung', async () => {
    const port = await freePort();
    const wedge = fileURLToPath(new URL('../support/wedge-on-signal.fixture.ts', import.meta.url));
    const cluster = await Pm2Cluster.start({
      TICKCAST_INSTANCES: String(INSTANCES),
      TICKCAST__SERVER__PORT: String(port),
      TICKCAST__SERVER__HOST: '127.0.0.1',
      TICKCAST__SHARDS: '1',
      TICKCAST__SUPERVISOR__PRIMARYSILENTMS: '4000',
      NODE_OPTIONS: `--import ${wedge}`,
    });
    const [hung] = await cluster.instances();
    process.kill(hung!.pid, 'SIGUSR2');
    const statuses = new Set<number>();
    const url = `http://127.0.0.1:${port}/api/websocket/health?scope=instance`;
    // Each on a connection of its own, which either of them may get.
    const ask = async () => {
      const answers = Array.from({ length: 12 }, () => fetch(url, { headers: { connection: 'close' } }));
      for (const answer of await Promise.allSettled(answers)) {
        if (answer.status === 'fulfilled') statuses.add(answer.value.status);
      }
      return cluster.instances();
    };
    await expect.poll(ask, PATIENT).toEqual([
      { pid: expect.any(Number), status: 'online', restarts: 1 },
      { pid: expect.any(Number), status: 'online', restarts: 0 },
    ]);
    expect(statuses).toEqual(new Set([200, 503]));
    const last = cluster
      .log()
      .split('\n')
      .filter((line) => line.includes('WebSocket primary hung'));
    expect(last.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 'FATAL', pid: hung!.pid, stack: expect.anything() }),
    ]);
  }, 60_000);

  it('serve on when the disk that their log goes to is full', async () => {
    const port = await freePort();
    await Pm2Cluster.start(
      { TICKCAST__SERVER__PORT: String(port), TICKCAST__SERVER__HOST: '127.0.0.1', TICKCAST__SHARDS: '1' },
      (home) => {
        mkdirSync(join(home, 'logs'));
        for (const name of ['tickcast.log', 'tickcast-error.log']) symlinkSync('/dev/full', join(home, 'logs', name));
      },
    );
    for (let n = 0; n < 20; n++) {
      const client = await TestClient.open(port);
      await client.until(() => client.data.length > 5, 'data');
      await client.close();
    }
  }, 60_000);
});

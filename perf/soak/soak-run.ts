import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../lib/free-port.ts';
import { readApi } from '../lib/gateway-metrics.ts';
import { Cluster, type Instance } from './cluster.ts';
import { type Disturbance, Disturbances } from './disturbances.ts';
import { Feed } from './feed.ts';
import { Population } from './population.ts';
import { type Sample, takeSample } from './sampler.ts';
import type { SoakOptions } from './soak-options.ts';
import { SoakTotals } from './soak-totals.ts';

/** Everything that was seen in a soak, for the report. */
export interface SoakRun {
  options: SoakOptions;
  /** How long it really lasted, and whether it was ended early. */
  seconds: number;
  isCutShort: boolean;
  publications: number;
  feedsCut: number;
  samples: Sample[];
  /** Of the same processes, before the first client came and after the last had gone. */
  idle: { before: Sample[]; after: Sample[] };
  disturbances: Disturbance[];
  totals: SoakTotals;
  /** What must not happen, and did, beside what clients have found. */
  problems: string[];
}

const SYMBOLS = 20;
const BURST_EVERY_MS = 20_000;
/** A burst is as much as so many seconds bring otherwise. */
const BURST_S = 2;
const LIFE_MS_MAX = 60_000;
/** Share of the time. */
const LAST_RELOAD = 0.4;
const LIFE_SHARE = 0.25;
const DRAIN_SHARE = 0.05;
/** The usual one. */
const DRAIN_MS_MAX = 2_000;
/** Between two looks: so many in a short soak, every other second, so many in a long one. */
const LOOKS_MIN = 300;
const LOOK_S = 2;
const LOOKS_MAX = 5_000;
/** A client may be told of publications by a gateway that is so far behind. */
const LAG_S_MAX = 60;
const READY_TIMEOUT_MS = 20_000;
const LOOK_MS = 50;
const MIB = 1024 ** 2;

/** Runs a soak until its time is up or the signal is given, and leaves nothing behind. */
export async function runSoak(options: SoakOptions, stopping: AbortSignal): Promise<SoakRun> {
  const { seed, padding } = options;
  const cluster = new Cluster();
  const feed = await Feed.open({ seed, symbols: SYMBOLS, padding });
  try {
    return await new Soak(options, cluster, feed).run(stopping);
  } finally {
    feed.close();
    const left = await cluster.stop();
    if (left.length > 0) console.error(`killed what had not ended: ${left.join(', ')}`);
  }
}

class Soak {
  readonly #options: SoakOptions;
  readonly #cluster: Cluster;
  readonly #feed: Feed;
  readonly #totals = new SoakTotals();
  readonly #samples: Sample[] = [];
  readonly #problems: string[] = [];
  #begunMs = 0;

  constructor(options: SoakOptions, cluster: Cluster, feed: Feed) {
    this.#options = options;
    this.#cluster = cluster;
    this.#feed = feed;
  }

  async run(stopping: AbortSignal): Promise<SoakRun> {
    const options = this.#options;
    const port = await freePort();
    // A gateway is ready when it has data.
    this.#publish();
    const instances = await this.#cluster.start(options.instances, this.#gatewayOptions(port));
    const before = await this.#sampleAll(instances);
    const epoch = await sharedEpoch(instances);
    this.#begunMs = performance.now();
    const seconds = options.minutes * 60;
    const lastReloadS = seconds * LAST_RELOAD;
    const disturbances = new Disturbances({ ...options, lastReloadS }, this.#cluster, instances, this.#elapsedS);
    await this.#disturb(disturbances, port, epoch, seconds, stopping);
    const total = this.#feed.log.total;
    const after = await this.#whenAllHaveGone(disturbances.instances);
    return {
      options,
      seconds: this.#elapsedS(),
      isCutShort: stopping.aborted,
      publications: total,
      feedsCut: this.#feed.cut,
      samples: this.#samples,
      idle: { before, after },
      disturbances: disturbances.happened,
      totals: this.#totals,
      problems: this.#problems,
    };
  }

  readonly #elapsedS = (): number => (performance.now() - this.#begunMs) / 1000;

  /** Everything at once, until the time is up; then the clients catch up while nothing new comes. */
  async #disturb(
    disturbances: Disturbances,
    port: number,
    epoch: string,
    seconds: number,
    stopping: AbortSignal,
  ): Promise<void> {
    const { clients, seed } = this.#options;
    const lifeMsMax = Math.min(LIFE_MS_MAX, seconds * 1000 * LIFE_SHARE);
    const population = new Population(
      { port, clients, seed, epoch, symbols: SYMBOLS, lifeMsMax },
      this.#feed.log,
      this.#totals,
    );
    const ending = AbortSignal.any([stopping, AbortSignal.timeout(seconds * 1000)]);
    const leaving = new AbortController();
    const living = population.live(leaving.signal);
    await Promise.all([
      disturbances.go(ending).catch((error) => {
        // Ctrl-C reaches pm2's command too.
        if (!stopping.aborted) this.#problems.push(`a reload has failed: ${error}`);
      }),
      this.#watch(disturbances, population, seconds, ending),
    ]);
    this.#feed.pause();
    leaving.abort();
    await living;
  }

  async #watch(
    disturbances: Disturbances,
    population: Population,
    seconds: number,
    ending: AbortSignal,
  ): Promise<void> {
    const intervalS = Math.max(Math.min(seconds / LOOKS_MIN, LOOK_S), seconds / LOOKS_MAX);
    while (!ending.aborted) {
      const { instances, isReloading } = disturbances;
      this.#samples.push(...(await this.#sampleAll(instances)));
      if (!isReloading && !disturbances.isReloading) this.#findDead(instances, disturbances);
      this.#feed.log.forget(population.oldestNeeded - this.#options.rate * LAG_S_MAX);
      await sleep(intervalS * 1000, undefined, { signal: ending }).catch(() => {});
    }
  }

  /** A process may only go when it is replaced. */
  #findDead(instances: readonly Instance[], disturbances: Disturbances): void {
    for (const { slot, pid } of instances) {
      if (this.#cluster.isRunning(pid) || disturbances.instances !== instances) continue;
      const problem = `instance ${slot} (process ${pid}) has ended by itself:\n${this.#cluster.log}`;
      if (!this.#problems.some((text) => text.includes(`process ${pid})`))) this.#problems.push(problem);
    }
  }

  async #sampleAll(instances: readonly Instance[]): Promise<Sample[]> {
    const atS = this.#begunMs === 0 ? 0 : this.#elapsedS();
    const all = await Promise.all(instances.map((instance) => takeSample(instance, this.#options.shards, atS)));
    return all.filter((sample) => sample !== undefined);
  }

  /** Connections that a client has reset are noticed a moment later. */
  async #whenAllHaveGone(instances: readonly Instance[]): Promise<Sample[]> {
    const deadlineMs = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      const samples = await this.#sampleAll(instances);
      const open = samples.reduce((sum, { connections }) => sum + connections, 0);
      if (open === 0 || performance.now() > deadlineMs) {
        if (open > 0) this.#problems.push(`${open} connections are still open after all clients have gone`);
        return samples;
      }
      await sleep(LOOK_MS);
    }
  }

  #publish(): void {
    const { rate } = this.#options;
    this.#feed.start({ ratePerS: rate, burstEveryMs: BURST_EVERY_MS, burstPublications: rate * BURST_S });
  }

  #gatewayOptions(port: number): Record<string, string> {
    const { shards, minutes } = this.#options;
    return {
      TICKCAST__SERVER__PORT: String(port),
      TICKCAST__SERVER__HOST: '127.0.0.1',
      TICKCAST__SHARDS: String(shards),
      TICKCAST__SOURCE__KIND: 'ndjson',
      TICKCAST__SOURCE__NDJSON__CONNECT: this.#feed.address,
      TICKCAST__RING__BYTES: String(16 * MIB),
      TICKCAST__LIMITS__COMMANDSPERSECOND: '0',
      TICKCAST__SLOW__MAXLAGMS: '10000',
      TICKCAST__SHUTDOWN__DRAINMS: String(Math.round(Math.min(DRAIN_MS_MAX, minutes * 60_000 * DRAIN_SHARE))),
      // Crashes are no loop here.
      TICKCAST__SUPERVISOR__RESTARTDELAYMAXMS: '500',
      TICKCAST__LOG__LEVEL: 'warn',
    };
  }
}

/** Waits until every gateway has published something. @throws Error where they do not number alike */
async function sharedEpoch(instances: readonly Instance[]): Promise<string> {
  const epochs = new Set(await Promise.all(instances.map(({ adminPort }) => epochOf(adminPort))));
  const [epoch] = epochs;
  if (epoch === undefined || epochs.size > 1) throw new Error(`gateways number differently: ${[...epochs].join(', ')}`);
  return epoch;
}

async function epochOf(adminPort: number): Promise<string> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const { ring } = JSON.parse(await readApi(adminPort, 'stats')) as {
      ring: { numbering: { kind: string; epoch: string } };
    };
    if (ring.numbering.kind === 'source') return ring.numbering.epoch;
    if (performance.now() > deadlineMs) throw new Error('a gateway has published nothing');
    await sleep(LOOK_MS);
  }
}

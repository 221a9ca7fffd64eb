import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../src/source/random.ts';
import type { Cluster, Instance } from './cluster.ts';

export interface Disturbance {
  atS: number;
  kind: 'reload' | 'crash of a shard';
}

export interface DisturbanceOptions {
  seed: number;
  /** Seconds; 0: never. */
  reloadEvery: number;
  crashEvery: number;
  /** No reload begins later: the last processes are to be watched for a while. */
  lastReloadS: number;
}

/** Deploys and crashes, at even intervals, until they are told to end. */
export class Disturbances {
  readonly happened: Disturbance[] = [];
  /** A reload is under way: processes come and go as they should. */
  isReloading = false;
  readonly #options: DisturbanceOptions;
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #elapsedS: () => number;
  #instances: Instance[];

  /** @param instances those that run; `instances` has the ones of later */
  constructor(options: DisturbanceOptions, cluster: Cluster, instances: Instance[], elapsedS: () => number) {
    this.#options = options;
    this.#cluster = cluster;
    this.#instances = instances;
    this.#random = new Random(options.seed);
    this.#elapsedS = elapsedS;
  }

  get instances(): readonly Instance[] {
    return this.#instances;
  }

  count(kind: Disturbance['kind']): number {
    return this.happened.filter((each) => each.kind === kind).length;
  }

  /** @throws Error where a reload fails */
  async go(signal: AbortSignal): Promise<void> {
    const { reloadEvery, crashEvery, lastReloadS } = this.#options;
    const mayReload = () => this.#elapsedS() < lastReloadS;
    await Promise.all([
      every(reloadEvery, signal, async () => {
        if (mayReload()) await this.#reload();
      }),
      every(crashEvery, signal, async () => this.#crash()),
    ]);
  }

  async #reload(): Promise<void> {
    this.#note('reload');
    this.isReloading = true;
    this.#instances = await this.#cluster.reload();
    this.isReloading = false;
  }

  /** Of a process that may just be leaving: then there is nobody to crash. */
  #crash(): void {
    const { pid } = this.#instances[this.#random.below(this.#instances.length)] as Instance;
    if (this.#cluster.signal(pid, 'SIGUSR2')) this.#note('crash of a shard');
  }

  #note(kind: Disturbance['kind']): void {
    this.happened.push({ atS: this.#elapsedS(), kind });
  }
}

async function every(seconds: number, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  if (seconds === 0) return;
  while (!signal.aborted) {
    await sleep(seconds * 1000, undefined, { signal }).catch(() => {});
    if (!signal.aborted) await act();
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../src/source/random.ts';
import type { CheckedClient } from '../truth/checked-client.ts';
import type { PublicationLog } from '../truth/publication-log.ts';
import { RandomClient } from '../truth/random-client.ts';
import { SlowClient } from './slow-client.ts';
import type { SoakTotals } from './soak-totals.ts';

export interface PopulationOptions {
  port: number;
  clients: number;
  seed: number;
  /** Of the market. */
  symbols: number;
  /** Of the numbering that the gateways share. */
  epoch: string;
  /** Longest life of a client. */
  lifeMsMax: number;
}

/** One life in so many is that of a slow reader. */
const SLOW_ODDS = 6;
const LIFE_MS_MIN = 1_000;
const STEP_MS_MAX = 1_000;
const PAUSE_MS_MAX = 15_000;
/** For what a client has begun when it is told to end, and for its goodbye. */
const END_MS_MAX = 30_000;
const LOOK_MS = 20;
const SEED_STEP = 7_919;

type Living = RandomClient | SlowClient;

/**
 * As many clients as there are to be at a time. Each does at random what clients do, reads slowly, vanishes and comes back;
 * ends after a while, having caught up; is judged; and makes room for the next.
 */
export class Population {
  readonly #options: PopulationOptions;
  readonly #log: PublicationLog;
  readonly #totals: SoakTotals;
  /** For each client that lives, what the log had when it began: it is not owed anything older. */
  readonly #beginnings = new Map<Living, number>();
  #born = 0;

  constructor(options: PopulationOptions, log: PublicationLog, totals: SoakTotals) {
    this.#options = options;
    this.#log = log;
    this.#totals = totals;
  }

  /** Goes on until the signal is given and the last client has been judged. */
  async live(signal: AbortSignal): Promise<void> {
    const { clients, seed } = this.#options;
    const places = Array.from({ length: clients }, (_, n) => this.#fill(new Random(seed + n * SEED_STEP), signal));
    await Promise.all(places);
  }

  /** The oldest publication that a judge may still have to know is newer than this. */
  get oldestNeeded(): number {
    return Math.min(this.#log.total, ...this.#beginnings.values());
  }

  async #fill(random: Random, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#oneLife(random, signal);
  }

  async #oneLife(random: Random, signal: AbortSignal): Promise<void> {
    const { lifeMsMax } = this.#options;
    const one = this.#create(random);
    this.#beginnings.set(one, this.#log.total);
    const lifeMs = LIFE_MS_MIN + random.below(lifeMsMax);
    await this.#run(one, AbortSignal.any([signal, AbortSignal.timeout(lifeMs)]));
    const late = await one.catchUp(this.#log.total);
    if (late !== undefined) this.#totals.problems.add(late);
    await goAway(one.client, random.below(2) === 0);
    this.#beginnings.delete(one);
    this.#totals.add(one.client, this.#log);
  }

  #create(random: Random): Living {
    const { port, symbols, epoch } = this.#options;
    const seed = 1 + random.below(0x7fff_fffd);
    const isSlow = random.below(SLOW_ODDS) === 0;
    const client = `${isSlow ? 'slow ' : ''}client ${++this.#born}`;
    const options = { port, epoch, seed, client, isNumbered: true, isOneOfSeveral: true };
    if (isSlow) return new SlowClient(options);
    return new RandomClient({ ...options, symbols, stepMsMax: STEP_MS_MAX, pauseMsMax: PAUSE_MS_MAX });
  }

  /** A client that hangs is a problem, and must not hold up the end. */
  async #run(one: Living, ending: AbortSignal): Promise<void> {
    const running = one.run(ending);
    const overdue = new Promise<'overdue'>((resolve) => {
      ending.addEventListener('abort', () => setTimeout(() => resolve('overdue'), END_MS_MAX).unref(), { once: true });
    });
    if ((await Promise.race([running, overdue])) !== 'overdue') return;
    this.#totals.problems.add(`${one.client.checker.record.client}: waits for an answer for ${END_MS_MAX} ms`);
    one.client.reset();
    await running;
  }
}

/** One half says goodbye, the other vanishes. */
async function goAway(client: CheckedClient, inOrder: boolean): Promise<void> {
  if (inOrder) client.leave();
  const deadlineMs = performance.now() + END_MS_MAX;
  while (inOrder && client.isOpen && performance.now() < deadlineMs) await sleep(LOOK_MS);
  client.reset();
}

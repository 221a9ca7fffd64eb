import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../src/source/random.ts';
import { catchUp } from './catch-up.ts';
import { CheckedClient, type CheckedClientOptions } from './checked-client.ts';
import { randomFilter } from './random-filter.ts';

export interface RandomClientOptions extends CheckedClientOptions {
  seed: number;
  /** Of the market. */
  symbols: number;
  /** Longest time between two things that it does, and for which it stops reading. */
  stepMsMax?: number;
  pauseMsMax?: number;
}

const FIREHOSE_ODDS = 8;
const FILTERS_MAX = 5;
const STEP_MS_MAX = 120;
const PAUSE_MS_MAX = 1_500;
const PIECE_MS_MAX = 40;
const FRAMES_BEFORE_RESET_MAX = 2_000;
const RECONNECT_MS = 20;

/**
 * A client that does whatever clients do: subscribes, narrows, changes its mind, stops reading, reads slowly, vanishes and comes
 * back. What it does follows from its seed, though not when, since others run beside it.
 */
export class RandomClient {
  readonly client: CheckedClient;
  readonly #random: Random;
  readonly #symbols: number;
  readonly #stepMsMax: number;
  readonly #pauseMsMax: number;
  #untilReset = 0;
  #isSteady = false;

  constructor(options: RandomClientOptions) {
    this.#random = new Random(options.seed);
    this.#symbols = options.symbols;
    this.#stepMsMax = options.stepMsMax ?? STEP_MS_MAX;
    this.#pauseMsMax = options.pauseMsMax ?? PAUSE_MS_MAX;
    this.client = new CheckedClient({ ...options, onMessage: () => this.#maybeReset() });
  }

  /** Goes on until the signal is given. */
  async run(signal: AbortSignal): Promise<void> {
    const { client } = this;
    await client.open(this.#random.below(FIREHOSE_ODDS) === 0);
    while (!signal.aborted) {
      if (client.isOpen) this.#act();
      else if (!(await client.restore())) await sleep(RECONNECT_MS);
      await sleep(this.#random.below(this.#stepMsMax));
    }
  }

  /** From here on it only reads, until it has everything; see `catchUp`. @param total seq of the last publication */
  catchUp(total: number): Promise<string | undefined> {
    this.#isSteady = true;
    return catchUp(this.client, total);
  }

  #act(): void {
    const { client } = this;
    const random = this.#random;
    const { filterIds } = client.checker.subscriptions;
    const action = random.below(14);
    if (action <= 1 && filterIds.length > 0) this.#unsubscribe(filterIds);
    else if (action <= 4 && filterIds.length < FILTERS_MAX) this.#subscribe();
    else if (action <= 7) this.#pause();
    else if (action === 8) client.resume(1 + random.below(PIECE_MS_MAX));
    else if (action === 9) client.resume();
    else if (action === 10) client.reset();
    else if (action === 11) this.#untilReset = 1 + random.below(FRAMES_BEFORE_RESET_MAX);
    else void client.ask('getLedger');
  }

  #subscribe(): void {
    const snapshot = [{}, { snapshot: true }, { snapshot: false }][this.#random.below(3)];
    void this.client.subscribe(randomFilter(this.#random, this.#symbols), snapshot);
  }

  /** Between two questions for the ledger the end of the subscription is known to the publication. */
  #unsubscribe(filterIds: readonly string[]): void {
    const { client } = this;
    const random = this.#random;
    void client.ask('getLedger');
    const filterId = filterIds[random.below(filterIds.length)] as string;
    void client.ask('unsubscribe', random.below(6) === 0 ? {} : { filterId });
    void client.ask('getLedger');
  }

  #pause(): void {
    const { client } = this;
    client.pause();
    const pauseMs = this.#random.below(this.#random.below(this.#pauseMsMax) + 1);
    setTimeout(() => client.resume(), pauseMs).unref();
  }

  /** Vanishes in the middle of what it is reading. */
  #maybeReset(): void {
    if (this.#untilReset === 0 || this.#isSteady) return;
    if (--this.#untilReset === 0) this.client.reset();
  }
}

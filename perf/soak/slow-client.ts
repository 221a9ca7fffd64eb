import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../src/source/random.ts';
import { catchUp } from '../truth/catch-up.ts';
import { CheckedClient, type CheckedClientOptions } from '../truth/checked-client.ts';

/** The kernel takes some megabytes before a gateway notices that nobody reads. */
const PAUSE_MS_MAX = 20_000;
const READ_MS_MAX = 3_000;
const PIECE_MS_MAX = 100;
const RECONNECT_MS = 20;

/** A client that gets everything and reads too slowly for it, so that it is behind, is told of gaps, and is closed at times. */
export class SlowClient {
  readonly client: CheckedClient;
  readonly #random: Random;

  constructor(options: CheckedClientOptions & { seed: number }) {
    this.#random = new Random(options.seed);
    this.client = new CheckedClient(options);
  }

  /** Goes on until the signal is given. */
  async run(signal: AbortSignal): Promise<void> {
    const { client } = this;
    const wait = (ms: number) => sleep(ms, undefined, { signal }).catch(() => {});
    await client.open(true);
    while (!signal.aborted) {
      if (!client.isOpen && !(await client.restore())) await wait(RECONNECT_MS);
      client.pause();
      await wait(this.#random.below(PAUSE_MS_MAX));
      client.resume(this.#random.below(PIECE_MS_MAX));
      await wait(this.#random.below(READ_MS_MAX));
    }
  }

  /** See `catchUp`. */
  catchUp(total: number): Promise<string | undefined> {
    return catchUp(this.client, total);
  }
}

import { type RingMemory, RingViews, waitingIndex } from './layout.ts';

/**
 * How a receiver that has drained sleeps until there is more. It raises its flag, looks at the ring once more, and goes to
 * its event loop; the transmitter posts one empty message to each whose flag it takes down, so a burst costs one post.
 * A message wakes an event loop with sockets; `Atomics.wait` would stop it, `Atomics.waitAsync` would not keep it alive.
 */
export class WakeUpSender {
  readonly #flags: Int32Array;
  readonly #ports = new Map<number, WakeUpPort>();
  #waiting: { index: number; port: WakeUpPort }[] = [];

  constructor(ring: RingMemory) {
    this.#flags = new RingViews(ring).flags;
  }

  /** Messages to `receiver` go to `port` from now on; `undefined`: nobody is there. */
  attach(receiver: number, port: WakeUpPort | undefined): void {
    if (port === undefined) this.#ports.delete(receiver);
    else this.#ports.set(receiver, port);
    this.#waiting = [...this.#ports].map(([number, to]) => ({ index: waitingIndex(number), port: to }));
  }

  /** Call after each publication. */
  wake(message: unknown): void {
    for (let i = 0; i < this.#waiting.length; i++) {
      const { index, port } = this.#waiting[i]!;
      // Partner: WakeUpReceiver.raise. The load is cheap; the exchange makes sure that one post answers one flag.
      if (Atomics.load(this.#flags, index) === 1 && Atomics.exchange(this.#flags, index, 0) === 1) {
        port.postMessage(message);
      }
    }
  }
}

export interface WakeUpPort {
  postMessage(message: unknown): void;
}

export class WakeUpReceiver {
  readonly #flags: Int32Array;
  readonly #index: number;

  constructor(ring: RingMemory, receiver: number) {
    this.#flags = new RingViews(ring).flags;
    this.#index = waitingIndex(receiver);
    this.lower();
  }

  /** Asks for a message at the next publication. Look at the ring once more after this: it may just have come. */
  raise(): void {
    // Partner: WakeUpSender.wake.
    Atomics.store(this.#flags, this.#index, 1);
  }

  /** Takes the wish back. A message may be under way all the same. */
  lower(): void {
    Atomics.store(this.#flags, this.#index, 0);
  }
}

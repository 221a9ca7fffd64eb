import { isDebugged } from '../util/is-debugged.ts';

const BEATS = 0;
const DEBUGGED = 1;
const CLAIMED = 2;
const WORDS = 3;

/** The primary's sign of life, in shared memory: it counts up, and the shards see whether the count still moves. */
export class PrimaryPulse {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Called by the primary: beats at once, and each `intervalMs`. Returns how to end it. */
  start(intervalMs: number): () => void {
    this.beat();
    const timer = setInterval(() => this.beat(), intervalMs).unref();
    return () => clearInterval(timer);
  }

  /** The primary's event loop has turned. */
  beat(): void {
    // Partner of each: the getter below, on a shard.
    Atomics.store(this.#words, DEBUGGED, isDebugged() ? 1 : 0);
    Atomics.add(this.#words, BEATS, 1);
  }

  get beats(): number {
    return Atomics.load(this.#words, BEATS);
  }

  /** A debugger may stop the primary: a silence means nothing then. */
  get isDebugged(): boolean {
    return Atomics.load(this.#words, DEBUGGED) === 1;
  }

  /** True for the first shard that notices a silence: it alone acts. */
  claim(): boolean {
    // Partner: the claim of every other shard.
    return Atomics.compareExchange(this.#words, CLAIMED, 0, 1) === 0;
  }

  /** The silence is over. */
  release(): void {
    Atomics.store(this.#words, CLAIMED, 0);
  }
}

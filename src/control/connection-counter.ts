/**
 * How many connections the instance has open, over all its shards: one shared word, so that `limits.connections` is exact
 * wherever the kernel puts a connection. A shard's own share stands beside it, for the day its thread dies.
 */
const TOTAL = 0;
const SHARE_AT = 32;
const WORDS_APART = 32;

export class ConnectionCounter {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  static allocate(shards: number): SharedArrayBuffer {
    return new SharedArrayBuffer((SHARE_AT + shards * WORDS_APART) * Int32Array.BYTES_PER_ELEMENT);
  }

  total(): number {
    return Atomics.load(this.#words, TOTAL);
  }

  /** Takes a place for a connection of this shard. False: there are `limit` already (0: no limit). */
  enter(shard: number, limit: number): boolean {
    for (;;) {
      const before = this.total();
      if (limit > 0 && before >= limit) return false;
      // Partner: every other shard's enter and leave. Nothing is taken before it is known to be free: a place that is taken
      // and given back would be missing to another shard in between.
      if (Atomics.compareExchange(this.#words, TOTAL, before, before + 1) === before) break;
    }
    Atomics.add(this.#words, SHARE_AT + shard * WORDS_APART, 1);
    return true;
  }

  leave(shard: number): void {
    Atomics.sub(this.#words, SHARE_AT + shard * WORDS_APART, 1);
    Atomics.sub(this.#words, TOTAL, 1);
  }

  /** Called by the supervisor when a shard's thread has ended: its connections went with it. */
  forget(shard: number): void {
    const share = Atomics.exchange(this.#words, SHARE_AT + shard * WORDS_APART, 0);
    Atomics.sub(this.#words, TOTAL, share);
  }
}

import type { HealthLevel } from './health.ts';

/**
 * How the gateway is, in shared memory, so that every shard can answer a balancer at once. The primary writes it once a
 * second and when a shutdown begins; what it has not written for STALE_MS does not hold any more: a primary that hangs
 * publishes nothing.
 *
 * Layout, two aligned 8-byte words: index of the level · when that was written, ns on the system's steady clock.
 */
const LEVELS: readonly HealthLevel[] = ['unhealthy', 'degraded', 'healthy'];
const LEVEL = 0;
const WRITTEN_NS = 1;
const WORDS = 2;
const STALE_MS = 5_000;
const NS_PER_MS = 1_000_000n;

export class HealthFlag {
  readonly #words: BigInt64Array;
  readonly #nowNs: () => bigint;

  /** @param nowNs a clock that all threads share */
  constructor(memory: SharedArrayBuffer, nowNs: () => bigint = process.hrtime.bigint) {
    this.#words = new BigInt64Array(memory);
    this.#nowNs = nowNs;
  }

  /** Unhealthy until it is written. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(WORDS * BigInt64Array.BYTES_PER_ELEMENT);
  }

  write(level: HealthLevel): void {
    // Partner: read, on the shards. The moment goes first, so that a level is never taken with an older one.
    Atomics.store(this.#words, WRITTEN_NS, this.#nowNs());
    Atomics.store(this.#words, LEVEL, BigInt(LEVELS.indexOf(level)));
  }

  read(): HealthLevel {
    const level = LEVELS[Number(Atomics.load(this.#words, LEVEL))] as HealthLevel;
    const ageNs = this.#nowNs() - Atomics.load(this.#words, WRITTEN_NS);
    return ageNs > BigInt(STALE_MS) * NS_PER_MS ? 'unhealthy' : level;
  }
}

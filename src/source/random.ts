/**
 * Repeatable random numbers: the sfc32 generator of Chris Doty-Humphrey's PractRand (four words of state, the last a
 * counter, so no cycle is shorter than 2^32). Fast and small; of no use for secrets.
 */
const WARM_UP_ROUNDS = 15;

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed any 32-bit number; equal seeds give equal sequences */
  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = 0;
    this.#c = ~seed;
    for (let round = 0; round < WARM_UP_ROUNDS; round++) this.nextWord();
  }

  /** 0 to 2^32 - 1, all equally likely. */
  nextWord(): number {
    const word = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + word) | 0;
    return word >>> 0;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor((this.nextWord() / 2 ** 32) * limit);
  }
}

/** A seeded source of random numbers (xorshift32), so that a failing run can be repeated. */
export class SeededRandom {
  readonly seed: number;
  #state: number;

  /** @param seed any integer; 0 is taken as 1, since xorshift stays at 0 */
  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed | 0 || 1;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % bound;
  }

  /** An integer in [from, to]. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }
}

/** The seed of this run: TICKCAST_TEST_SEED where it is set, else a new one. Prints it. */
export function seedOfRun(test: string): number {
  const given = Number(process.env.TICKCAST_TEST_SEED);
  const seed = Number.isInteger(given) && given > 0 ? given : 1 + Math.floor(Math.random() * 0x7fff_fffe);
  console.log(`${test}: TICKCAST_TEST_SEED=${seed}`);
  return seed;
}

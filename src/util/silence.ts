const LOOK_MS_MAX = 1_000;
/** Looks that a silence takes at least: fewer could be a thread that was not given its turn. */
const LOOKS_MIN = 4;

/**
 * How often a thread shows that it lives, and is looked at, ms: often enough for the shortest of the limits.
 * @param limitsMs after how long a silence is acted on; 0: never
 */
export function lookIntervalMs(...limitsMs: readonly number[]): number {
  const limits = limitsMs.filter((ms) => ms > 0);
  return Math.max(1, Math.min(LOOK_MS_MAX, ...limits.map((ms) => Math.floor(ms / LOOKS_MIN))));
}

/**
 * For how long another thread has shown no sign of life, a number that changes. Time is counted in looks, not by a clock:
 * where the process was stopped, the machine slept or the one who looks was late himself, nobody is blamed for it.
 */
export class Silence {
  readonly #lookMs: number;
  #sign: number | undefined;
  #looks = 0;

  /** @param lookMs time from look to look; a late one counts as one */
  constructor(lookMs: number) {
    this.#lookMs = lookMs;
  }

  /** Call each `lookMs`. Returns how long it has been silent, ms. */
  look(sign: number): number {
    if (sign === this.#sign) {
      this.#looks++;
    } else {
      this.#sign = sign;
      this.#looks = 0;
    }
    return this.#looks * this.#lookMs;
  }

  /** There is nobody to be heard for the moment. */
  reset(): void {
    this.#sign = undefined;
    this.#looks = 0;
  }
}

import type { TransformerStats } from './data-transformer.ts';

/** One publication in so many is timed: reading the clock twice costs more than most transforms. */
const SAMPLE_EVERY = 1024;
/** The average latency follows the last so many samples. */
const WINDOW = 64;

/** Counts what the built-in transformers do, at the price of two additions a publication. */
export class TransformerMeter {
  #transformed = 0;
  #errors = 0;
  #lastActivityMs = 0;
  #samples = 0;
  #averageMs = 0;

  /** Whether the next publication is to be timed. */
  get sampling(): boolean {
    return (this.#transformed + this.#errors) % SAMPLE_EVERY === 0;
  }

  transformed(atMs: number): void {
    this.#transformed++;
    this.#lastActivityMs = atMs;
  }

  failed(atMs: number): void {
    this.#errors++;
    this.#lastActivityMs = atMs;
  }

  sample(elapsedMs: number): void {
    this.#samples = Math.min(this.#samples + 1, WINDOW);
    this.#averageMs += (elapsedMs - this.#averageMs) / this.#samples;
  }

  read(): TransformerStats {
    return {
      transformedCount: this.#transformed,
      errorCount: this.#errors,
      averageLatency: this.#averageMs,
      lastActivity: this.#lastActivityMs,
    };
  }
}

import { bucketIndex, HISTOGRAM_BUCKETS, percentile } from '../telemetry/histogram.ts';

const US_PER_MS = 1_000;

/** Percentiles in ms; all 0 where nothing was counted. */
export interface SignedSummary {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Times that may be negative, to within 3.2 % of each: the histogram of the telemetry, once for either sign. */
export class SignedHistogram {
  readonly #below = new Float64Array(HISTOGRAM_BUCKETS);
  readonly #above = new Float64Array(HISTOGRAM_BUCKETS);
  #negative = 0;
  #count = 0;

  add(ms: number): void {
    const index = bucketIndex(Math.abs(ms) * US_PER_MS);
    const buckets = ms < 0 ? this.#below : this.#above;
    buckets[index] = (buckets[index] as number) + 1;
    this.#count++;
    if (ms < 0) this.#negative++;
  }

  summary(): SignedSummary {
    return {
      count: this.#count,
      p50: this.#percentileMs(0.5),
      p95: this.#percentileMs(0.95),
      p99: this.#percentileMs(0.99),
    };
  }

  /** The negative ones come first, the largest of them before all. */
  #percentileMs(fraction: number): number {
    if (this.#count === 0) return 0;
    const wanted = fraction * this.#count;
    const us =
      wanted <= this.#negative
        ? -percentile(this.#below, 1 - wanted / this.#negative)
        : percentile(this.#above, (wanted - this.#negative) / (this.#count - this.#negative));
    return Math.round(us) / US_PER_MS + 0;
  }
}

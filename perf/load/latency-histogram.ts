import { bucketIndex, HISTOGRAM_BUCKETS, type HistogramSummary, summarise } from '../../src/telemetry/histogram.ts';

/** A histogram on its way between processes: only the buckets that hold something. */
export interface HistogramWire {
  buckets: [index: number, count: number][];
  sumUs: number;
  maxUs: number;
}

/**
 * Times in µs, counted in buckets at most 6.3 % wide; sum and maximum are exact. Histograms of several processes add up,
 * so percentiles are those of all samples together and never an average of percentiles.
 */
export class LatencyHistogram {
  readonly #buckets = new Float64Array(HISTOGRAM_BUCKETS);
  #sumUs = 0;
  #maxUs = 0;

  /** A negative time, which two clocks that differ by a little can give, counts as 0. */
  record(valueUs: number): void {
    const value = Math.max(valueUs, 0);
    const index = bucketIndex(value);
    this.#buckets[index] = (this.#buckets[index] as number) + 1;
    this.#sumUs += value;
    if (value > this.#maxUs) this.#maxUs = value;
  }

  merge(wire: HistogramWire): void {
    for (const [index, count] of wire.buckets) this.#buckets[index] = (this.#buckets[index] as number) + count;
    this.#sumUs += wire.sumUs;
    this.#maxUs = Math.max(this.#maxUs, wire.maxUs);
  }

  toWire(): HistogramWire {
    const buckets: [number, number][] = [];
    this.#buckets.forEach((count, index) => {
      if (count > 0) buckets.push([index, count]);
    });
    return { buckets, sumUs: this.#sumUs, maxUs: this.#maxUs };
  }

  /** All in whole µs; no percentile is above the maximum. */
  summary(): HistogramSummary {
    const summary = summarise(this.#buckets, this.#sumUs);
    const bound = (valueUs: number) => Math.round(Math.min(valueUs, this.#maxUs));
    return {
      count: summary.count,
      mean: Math.round(summary.mean),
      p50: bound(summary.p50),
      p95: bound(summary.p95),
      p99: bound(summary.p99),
      max: Math.round(this.#maxUs),
    };
  }
}

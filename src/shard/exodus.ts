/** Fewer connections than this leave nothing behind that is worth a pause. */
const GONE_MIN = 1_000;
/** The busiest that a shard may be, 0..1, for a pause to harm nobody. */
const UTILIZATION_MAX = 0.3;

/**
 * Tells when most of a shard's connections have gone and left their garbage: then, and only then, it pays to collect it
 * at once. A thread that has fallen idle does not do so by itself.
 */
export class Exodus {
  #peak = 0;

  /**
   * Call once a second.
   * @param open connections now
   * @param utilization of the event loop over the last second, 0..1
   */
  isOver(open: number, utilization: number): boolean {
    this.#peak = Math.max(this.#peak, open);
    if (this.#peak - open < GONE_MIN || open > this.#peak / 2 || utilization > UTILIZATION_MAX) return false;
    this.#peak = open;
    return true;
  }
}

/** Fewer newcomers than this leave nothing behind that is worth a pause. */
const CAME_MIN = 1_000;
/**
 * The busiest that a shard may be, 0..1: all but idle, since the pause, some 90 ms with 10,000 connections, would be felt
 * by whoever gets data. A shard that delivers also allocates, so that V8 collects in its own time.
 */
const UTILIZATION_MAX = 0.02;

/**
 * Tells when many connections have come and the shard is quiet again: then it pays to collect at once what their handshakes
 * have left, which is more than half as much as what they keep. A thread that has fallen idle does not do so by itself.
 */
export class Influx {
  #known = 0;
  #before = 0;

  /**
   * Call once a second.
   * @param open connections now
   * @param utilization of the event loop over the last second, 0..1
   */
  isOver(open: number, utilization: number): boolean {
    const isComing = open > this.#before;
    this.#before = open;
    this.#known = Math.min(this.#known, open);
    if (isComing || open - this.#known < CAME_MIN || utilization > UTILIZATION_MAX) return false;
    this.#known = open;
    return true;
  }
}

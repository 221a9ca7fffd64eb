const FIRST_LENGTH = 256;

/** A list of numbers from 0 to 2^32 - 1 that grows at its end, four bytes each. */
export class GrowingNumbers {
  length = 0;
  #values = new Uint32Array(FIRST_LENGTH);

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Uint32Array(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  /** Removes the first `count`: all others move to the front. */
  dropFirst(count: number): void {
    this.#values.copyWithin(0, count, this.length);
    this.length -= count;
  }

  /** @param index 0 to `length` - 1 */
  at(index: number): number {
    return this.#values[index] as number;
  }

  last(): number | undefined {
    return this.length === 0 ? undefined : this.#values[this.length - 1];
  }

  /** How many of the values, which have to ascend, are at most `value`. */
  countUpTo(value: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#values[middle] as number) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

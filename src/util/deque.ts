const CAPACITY_MIN = 16;

/** A queue in one circular array: what is taken off its front leaves room for what comes, so a long one stays where it is. */
export class Deque<T> {
  #slots: (T | undefined)[] = [];
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#first + this.#length++) & (this.#slots.length - 1)] = item;
  }

  /** The oldest item, which is taken out; undefined where there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#first];
    this.#slots[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#slots.length - 1);
    this.#length--;
    return item;
  }

  /** @param index from the oldest, below `length` */
  at(index: number): T {
    return this.#slots[(this.#first + index) & (this.#slots.length - 1)] as T;
  }

  /** All items, oldest first; none are left, and nothing is held. */
  drain(): T[] {
    const items = Array.from({ length: this.#length }, (_, index) => this.at(index));
    this.#slots = [];
    this.#first = 0;
    this.#length = 0;
    return items;
  }

  #grow(): void {
    const slots = new Array<T | undefined>(Math.max(CAPACITY_MIN, this.#slots.length * 2));
    for (let index = 0; index < this.#length; index++) slots[index] = this.at(index);
    this.#slots = slots;
    this.#first = 0;
  }
}

import { isDeletion, type Level, priceOf } from './depth.ts';

const SLOTS_MIN_LOG2 = 3;

/** A table that is emptied while it holds fewer levels than this part of its slots is given up. */
const SPARSE_PART = 8;

/** No price: marks a free slot. */
const FREE = Number.NaN;

/** Odd, so that multiplying by them loses nothing: 2³² over the golden ratio, and a constant of MurmurHash3. */
const GOLDEN = 0x9e3779b1;
const MIX = 0x85ebca6b;

const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);

/**
 * The bids or the asks of a book: levels by price, in a hash table with open addressing, at most half full. Collisions go
 * to the next free slot, and what is removed is closed up behind (Knuth, The Art of Computer Programming, 6.4, algorithm
 * R). A Map takes two to three times as long for books of 1,000 to 50,000 levels, since each of its prices is an object.
 */
export class BookSide {
  #prices: number[] = [];
  #levels: (Level | undefined)[] = [];
  #mask = 0;
  #shift = 0;
  #size = 0;

  constructor() {
    this.#allocate(SLOTS_MIN_LOG2);
  }

  /** Levels there are, deletions that were noted among them. */
  get size(): number {
    return this.#size;
  }

  /** Changes the levels that are named; one whose size is 0 is removed. */
  apply(levels: readonly Level[]): void {
    for (let index = 0; index < levels.length; index++) {
      const level = levels[index] as Level;
      if (isDeletion(level)) this.#remove(priceOf(level));
      else this.#set(priceOf(level), level);
    }
  }

  /** As `apply`, but a level whose size is 0 stays, as the deletion it is. */
  note(levels: readonly Level[]): void {
    for (let index = 0; index < levels.length; index++) {
      const level = levels[index] as Level;
      this.#set(priceOf(level), level);
    }
  }

  /** Takes no longer than filling it did, however large it once was. */
  clear(): void {
    const slots = this.#mask + 1;
    if (this.#size < slots / SPARSE_PART) {
      if (slots > 1 << SLOTS_MIN_LOG2) this.#allocate(SLOTS_MIN_LOG2);
    } else {
      this.#prices.fill(FREE);
      this.#levels.fill(undefined);
    }
    this.#size = 0;
  }

  /** The levels, lowest price first, in an array of the caller's own. */
  ascending(): Level[] {
    return this.#at(this.#sortedPrices());
  }

  /** The levels, highest price first, in an array of the caller's own. */
  descending(): Level[] {
    return this.#at(this.#sortedPrices().reverse());
  }

  #set(price: number, level: Level): void {
    const slot = this.#slotOf(price);
    this.#levels[slot] = level;
    if (this.#prices[slot] === price) return;
    this.#prices[slot] = price;
    if (++this.#size * 2 > this.#mask) this.#grow();
  }

  #remove(price: number): void {
    const prices = this.#prices;
    let hole = this.#slotOf(price);
    if (prices[hole] !== price) return;
    const mask = this.#mask;
    for (let slot = (hole + 1) & mask; isTaken(prices[slot] as number); slot = (slot + 1) & mask) {
      const home = hashOf(prices[slot] as number) >>> this.#shift;
      // From its home to here no slot may be free, or it is not found any more: where the hole lies between, it moves up.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      prices[hole] = prices[slot] as number;
      this.#levels[hole] = this.#levels[slot];
      hole = slot;
    }
    prices[hole] = FREE;
    this.#levels[hole] = undefined;
    this.#size--;
  }

  /** Where the price stands, or else the free slot that it would take. */
  #slotOf(price: number): number {
    const prices = this.#prices;
    const mask = this.#mask;
    let slot = hashOf(price) >>> this.#shift;
    while (prices[slot] !== price && isTaken(prices[slot] as number)) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const prices = this.#prices;
    const levels = this.#levels;
    this.#allocate(32 - this.#shift + 1);
    for (let index = 0; index < prices.length; index++) {
      const price = prices[index] as number;
      if (!isTaken(price)) continue;
      const slot = this.#slotOf(price);
      this.#prices[slot] = price;
      this.#levels[slot] = levels[index];
    }
  }

  #allocate(slotsLog2: number): void {
    const slots = 1 << slotsLog2;
    this.#prices = new Array<number>(slots).fill(FREE);
    this.#levels = new Array<Level | undefined>(slots).fill(undefined);
    this.#mask = slots - 1;
    this.#shift = 32 - slotsLog2;
  }

  /** Numbers alone are sorted natively: a third of what it takes to sort the levels by a function. */
  #sortedPrices(): Float64Array {
    const sorted = new Float64Array(this.#size);
    let count = 0;
    for (const price of this.#prices) if (isTaken(price)) sorted[count++] = price;
    return sorted.sort();
  }

  #at(prices: Float64Array): Level[] {
    const levels: Level[] = [];
    for (const price of prices) levels.push(this.#levels[this.#slotOf(price)] as Level);
    return levels;
  }
}

function isTaken(price: number): boolean {
  return !Number.isNaN(price);
}

/** 32 bits, the upper ones well mixed: neighbours on a price grid spread evenly. Tells 0 from -0. */
function hashOf(price: number): number {
  double[0] = price;
  const mixed = Math.imul(halves[0] as number, MIX) ^ (halves[1] as number);
  return Math.imul(mixed ^ (mixed >>> 15), GOLDEN);
}

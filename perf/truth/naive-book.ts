type Side = 'bids' | 'asks';
export type Level = readonly [price: number, size: number];

/** The `data` of an order book's publication. */
export interface BookData {
  bids: readonly Level[];
  asks: readonly Level[];
  isSnapshot?: boolean;
}

/** One number's bits, as two words. */
const float = new Float64Array(2);
const words = new Uint32Array(float.buffer);

/**
 * An order book as a client keeps it: sizes by price. It also keeps a digest of its levels, in whatever order they came, so that
 * two books can be compared at every step: equal books have equal digests, and others hardly ever (64 bits).
 */
export class NaiveBook {
  readonly #levels: Record<Side, Map<number, number>> = { bids: new Map(), asks: new Map() };
  #low = 0;
  #high = 0;

  /** First half of the digest, 32 bits. */
  get low(): number {
    return this.#low;
  }

  /** Second half of the digest. */
  get high(): number {
    return this.#high;
  }

  apply({ bids, asks, isSnapshot }: BookData): void {
    if (isSnapshot === true) this.#clear();
    for (const [price, size] of bids) this.#set('bids', price, size);
    for (const [price, size] of asks) this.#set('asks', price, size);
  }

  /** Levels in the order of their prices. */
  levels(): { bids: Level[]; asks: Level[] } {
    const sorted = (side: Side) => [...this.#levels[side]].sort(([a], [b]) => a - b);
    return { bids: sorted('bids'), asks: sorted('asks') };
  }

  #clear(): void {
    this.#levels.bids.clear();
    this.#levels.asks.clear();
    this.#low = 0;
    this.#high = 0;
  }

  #set(side: Side, price: number, size: number): void {
    const levels = this.#levels[side];
    const before = levels.get(price);
    if (before !== undefined) this.#digest(side, price, before, -1);
    if (size === 0) {
      levels.delete(price);
      return;
    }
    levels.set(price, size);
    this.#digest(side, price, size, 1);
  }

  #digest(side: Side, price: number, size: number, sign: 1 | -1): void {
    float[0] = price;
    float[1] = size;
    const seed = side === 'bids' ? 0x9e37_79b9 : 0x85eb_ca6b;
    this.#low = (this.#low + sign * mixed(seed)) >>> 0;
    this.#high = (this.#high + sign * mixed(seed ^ 0x27d4_eb2f)) >>> 0;
  }
}

/** Whether this is a book's data; anything else under a book's type leaves a book as it is. */
export function isBookData(data: unknown): data is BookData {
  const { bids, asks } = (data ?? {}) as { bids?: unknown; asks?: unknown };
  return isLevels(bids) && isLevels(asks);
}

function isLevels(value: unknown): boolean {
  const isNumber = (part: unknown) => typeof part === 'number';
  return Array.isArray(value) && value.every((level) => Array.isArray(level) && level.slice(0, 2).every(isNumber));
}

/** Mixes the four words of a level, after MurmurHash3's rounds. */
function mixed(seed: number): number {
  let hash = seed;
  for (let i = 0; i < 4; i++) {
    hash ^= Math.imul(words[i] as number, 0xcc9e_2d51);
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe654_6b64;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

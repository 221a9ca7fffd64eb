import { assert } from '../util/assert.ts';

/** Entries of the hash table: so many that the keys of one set can each have their own. */
const ENTRIES = 256;
/** Sets a key's length apart from its first and last byte. Odd, so that lengths do not fall onto each other. */
const LENGTH_FACTOR = 5;

/**
 * A fixed set of keys, found by their bytes without making a string of them: one look into a table and one comparison,
 * also for a key that is not in the set.
 */
export class FieldKeys {
  readonly #ids = new Int8Array(ENTRIES).fill(-1);
  readonly #keys: Uint8Array[] = [];

  /** @param keys by their ids, ASCII, not empty; no two of one hash */
  constructor(keys: ReadonlyMap<number, string>) {
    for (const [id, key] of keys) {
      const bytes = Uint8Array.from(Buffer.from(key, 'latin1'));
      const entry = entryOf(bytes, 0, bytes.length);
      assert(this.#ids[entry] === -1, 'each key has an entry of its own');
      this.#ids[entry] = id;
      this.#keys[id] = bytes;
    }
  }

  /** Id of the key in [from, to) of `bytes`, which stands before `to`; -1 where it is none of these. */
  find(bytes: Uint8Array, from: number, to: number): number {
    if (from === to) return -1;
    const id = this.#ids[entryOf(bytes, from, to)] as number;
    if (id < 0) return -1;
    const key = this.#keys[id] as Uint8Array;
    if (key.length !== to - from) return -1;
    for (let i = 0; i < key.length; i++) if (bytes[from + i] !== key[i]) return -1;
    return id;
  }
}

function entryOf(bytes: Uint8Array, from: number, to: number): number {
  const ends = (bytes[from] as number) + (bytes[to - 1] as number);
  return (ends + LENGTH_FACTOR * (to - from)) & (ENTRIES - 1);
}

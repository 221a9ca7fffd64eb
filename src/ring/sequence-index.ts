/**
 * Where the publication of each seq stands in the ring, in shared memory. The primary writes an entry between a record's
 * commit and its publish; any shard reads. It makes the ring a history that can be read from any number on, and tells what
 * a stretch of it is about without touching the records.
 *
 *     NEWEST         Float64  seq of the newest entry; with the two below 128 bytes apart from the rest
 *     FLOOR          Float64  of the first entry, or of the first behind numbers left out that were too many for entries
 *     COMPLETE_FROM  Float64  from this seq on all that the numbering has was published here
 *     ENTRIES        that of seq s at s modulo their number, 16 bytes each:
 *     +0    position   Float64  of the record in the ring; of a number left out that of the next record
 *     +8    topic      Int32    or VACANT: the number was left out
 *     +12   number     Uint32   seq modulo 2^32: whose entry it is
 *
 * There are more entries than the ring can hold records, so where a record has not been overwritten, neither has its entry,
 * nor will it be for a while: the oldest entries are not told, as they may be being written over while they are read.
 */
const HEADER_BYTES = 128;
const ENTRY_BYTES = 16;
/** No record of a publication is smaller: 72 bytes of fields, and the shortest text that the frame stage writes. */
const RECORD_BYTES_MIN = 152;
/** Bytes of ring for each entry. */
const BYTES_PER_ENTRY = 128;

/**
 * Of more numbers than this that are left out at once, none gets an entry: that would hold the primary up. Then nothing in
 * front of them can be told any more.
 */
const VACANT_MAX = 4_096;

/** In place of a topic: no publication has this number. */
export const VACANT = -2;

export interface SequenceIndexMemory {
  readonly memory: SharedArrayBuffer;
  /** A power of two. */
  readonly entries: number;
}

/** @param ringBytes capacity of the ring, a power of two */
export function allocateSequenceIndex(ringBytes: number): SequenceIndexMemory {
  const entries = ringBytes / BYTES_PER_ENTRY;
  return { memory: new SharedArrayBuffer(HEADER_BYTES + entries * ENTRY_BYTES), entries };
}

class IndexViews {
  readonly entries: number;
  readonly newest: Float64Array;
  readonly floor: Float64Array;
  readonly completeFrom: Float64Array;
  readonly positions: Float64Array;
  readonly words: Int32Array;

  constructor({ memory, entries }: SequenceIndexMemory) {
    this.entries = entries;
    this.newest = new Float64Array(memory, 0, 1);
    this.floor = new Float64Array(memory, 8, 1);
    this.completeFrom = new Float64Array(memory, 16, 1);
    this.positions = new Float64Array(memory, HEADER_BYTES);
    this.words = new Int32Array(memory, HEADER_BYTES);
  }
}

export class SequenceIndexWriter {
  readonly #views: IndexViews;

  constructor(index: SequenceIndexMemory) {
    this.#views = new IndexViews(index);
  }

  /** Something may be missing in front of the number `seq`. Call before the next one is set. */
  beginCompleteness(seq: number): void {
    this.#views.completeFrom[0] = seq;
  }

  /** @param seq above that of the call before; the numbers between are left out */
  set(seq: number, position: number, topic: number): void {
    const newest = this.#views.newest[0] as number;
    if (seq !== newest + 1) this.#leaveOut(newest, seq, position);
    this.#write(seq, position, topic);
  }

  #leaveOut(newest: number, seq: number, position: number): void {
    if (newest === 0 || seq - newest > VACANT_MAX) this.#views.floor[0] = seq;
    else for (let vacant = newest + 1; vacant < seq; vacant++) this.#write(vacant, position, VACANT);
  }

  #write(seq: number, position: number, topic: number): void {
    const { entries, newest, positions, words } = this.#views;
    const entry = seq & (entries - 1);
    positions[entry * 2] = position;
    words[entry * 4 + 2] = topic;
    // Partner: SequenceIndexReader.#holds. Who sees the number also sees what was written before it.
    Atomics.store(words, entry * 4 + 3, seq | 0);
    newest[0] = seq;
  }
}

export class SequenceIndexReader {
  /** How many publications back it reaches. */
  readonly entries: number;
  readonly #views: IndexViews;

  constructor(index: SequenceIndexMemory) {
    this.#views = new IndexViews(index);
    this.entries = Math.ceil((index.entries * BYTES_PER_ENTRY) / RECORD_BYTES_MIN);
  }

  /** seq of the newest publication, 0 before the first; at least as new as the ring's tail that was read before. */
  newest(): number {
    const { newest } = this.#views;
    for (;;) {
      const seq = newest[0] as number;
      // Its entry may be about to become visible; that of the one before has been for long.
      if (seq === 0 || this.#holds(seq)) return seq;
      if (seq === 1 || this.#holds(seq - 1)) return seq - 1;
    }
  }

  /**
   * From this seq on, everything that the numbering has was published here. Before it something may be missing: this gateway
   * came later than others that number alike, or its source was away.
   */
  get completeFrom(): number {
    return this.#views.completeFrom[0] as number;
  }

  /**
   * Topic of the publication `seq` ≥ 1; VACANT where the number was left out; -1 where the index does not reach back so far,
   * or not so far ahead.
   */
  topic(seq: number): number {
    if (!this.#holds(seq)) return -1;
    const topic = this.#views.words[this.#entry(seq) * 4 + 2] as number;
    return this.#reaches(seq) ? topic : -1;
  }

  /** Position of the record of `seq`, or -1 as above; it may have been overwritten. */
  position(seq: number): number {
    if (!this.#holds(seq)) return -1;
    const position = this.#views.positions[this.#entry(seq) * 2] as number;
    return this.#reaches(seq) ? position : -1;
  }

  #entry(seq: number): number {
    return seq & (this.#views.entries - 1);
  }

  #holds(seq: number): boolean {
    // Partner: SequenceIndexWriter.set.
    return Atomics.load(this.#views.words, this.#entry(seq) * 4 + 3) === (seq | 0);
  }

  /** Looked at after the entry has been read. */
  #reaches(seq: number): boolean {
    const age = (this.#views.newest[0] as number) - seq;
    return age >= 0 && age < this.entries && seq >= (this.#views.floor[0] as number);
  }
}

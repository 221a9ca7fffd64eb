import { assert } from '../util/assert.ts';
import type { Transmitter } from './transmitter.ts';

/** How far ahead of the writer what is kept is moved on, where there is time: this part of the ring. */
const LEAD_PART = 8;
/** This much ahead it is moved on whatever it takes: so it stands further on before it is overwritten. */
const MARGIN_PART = 32;
/**
 * Bytes moved on for each byte written, about, while there is time. Where a quarter of the ring, all in a row, is kept, it
 * is behind before half of the lead has been used up, and no publication had to wait for more than this.
 */
const PACE = 8;

/** Something to be written further on in place of a value that is about to be overwritten. */
export interface Rescue {
  /** Of its claim. */
  readonly payloadBytes: number;
  /** Claims and commits it, and says where it `stands`. */
  write(): void;
}

/** Entry of the list of values at which it begins and ends. */
const ENDS = 0;

/**
 * Keeps values in the ring: before the transmitter writes over the record that holds one, it is written once more, further
 * on. Runs on the primary thread, for each claim. After the cleaner of a log-structured file system (Rosenblum and
 * Ousterhout 1992): the ring's history passes, what is kept stays.
 */
export class Compactor {
  readonly #transmitter: Transmitter;
  readonly #leaving: (id: number, position: number) => Rescue | undefined;
  readonly #leadBytes: number;
  readonly #marginBytes: number;
  /** Links between values, oldest position first; that of the value `id` at `id` + 1, to itself where it stands nowhere. */
  readonly #older = [ENDS];
  readonly #newer = [ENDS];
  readonly #positions = [Number.POSITIVE_INFINITY];
  /** Rescues that wait for room themselves, oldest first. */
  readonly #waiting: Rescue[] = [];
  /** Where the transmitter stood after the last call. */
  #written: number;

  /**
   * @param leaving the value `id`, at `position`, is about to be overwritten: what is to be written in its place, if anything.
   *   All values together may take half of the ring.
   */
  constructor(transmitter: Transmitter, leaving: (id: number, position: number) => Rescue | undefined) {
    this.#transmitter = transmitter;
    this.#leaving = leaving;
    this.#leadBytes = transmitter.capacity / LEAD_PART;
    this.#marginBytes = transmitter.capacity / MARGIN_PART;
    this.#written = transmitter.position;
  }

  /** The value `id` stands in the newest record, at `position`, and nowhere else any more. */
  stands(id: number, position: number): void {
    while (this.#positions.length <= id + 1) this.#grow();
    const entry = id + 1;
    this.#unlink(entry);
    const newest = this.#older[ENDS] as number;
    this.#older[entry] = newest;
    this.#newer[entry] = ENDS;
    this.#newer[newest] = entry;
    this.#older[ENDS] = entry;
    this.#positions[entry] = position;
  }

  /** Call before a claim of `payloadBytes`: afterwards it overwrites nothing that is kept. */
  makeRoom(payloadBytes: number): void {
    const transmitter = this.#transmitter;
    if (this.#oldestPosition() < transmitter.lostBy(payloadBytes) + this.#leadBytes) this.#moveOn(payloadBytes);
    this.#written = transmitter.position;
  }

  #moveOn(payloadBytes: number): void {
    const transmitter = this.#transmitter;
    const { position: begin } = transmitter;
    const enough = begin + PACE * (begin - this.#written);
    for (;;) {
      const ahead = this.#oldestPosition() - transmitter.lostBy(payloadBytes);
      if (ahead >= this.#leadBytes || (ahead >= this.#marginBytes && transmitter.position >= enough)) return;
      assert(transmitter.position < begin + transmitter.capacity, 'the ring holds more than what is kept');
      this.#take();
      this.#writeWaiting();
    }
  }

  /** Each of them as soon as that overwrites nothing but what has been taken. */
  #writeWaiting(): void {
    for (let rescue = this.#waiting[0]; rescue !== undefined; rescue = this.#waiting[0]) {
      if (this.#oldestPosition() < this.#transmitter.lostBy(rescue.payloadBytes)) {
        this.#take();
      } else {
        this.#waiting.shift();
        rescue.write();
      }
    }
  }

  #take(): void {
    const entry = this.#newer[ENDS] as number;
    this.#unlink(entry);
    const rescue = this.#leaving(entry - 1, this.#positions[entry] as number);
    if (rescue !== undefined) this.#waiting.push(rescue);
  }

  #oldestPosition(): number {
    return this.#positions[this.#newer[ENDS] as number] as number;
  }

  #unlink(entry: number): void {
    const older = this.#older[entry] as number;
    const newer = this.#newer[entry] as number;
    this.#newer[older] = newer;
    this.#older[newer] = older;
    this.#older[entry] = entry;
    this.#newer[entry] = entry;
  }

  #grow(): void {
    const entry = this.#positions.length;
    this.#older.push(entry);
    this.#newer.push(entry);
    this.#positions.push(-1);
  }
}

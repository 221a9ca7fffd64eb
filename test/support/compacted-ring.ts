import { Compactor, type Rescue } from '../../src/ring/compactor.ts';
import { allocateRing, CARRIED, type RingMemory, recordBytes } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import { commitWritten, expectedFields, expectedRecord, faultOf, positionsOf, setPositions } from './ring-records.ts';

export interface CompactedRingOptions {
  capacity?: number;
  /** Position at which the ring begins. */
  start?: number;
  /** Bytes of the values that are kept, in all; above that the next ones to go are let go. */
  keptBytesMax?: number;
}

export interface PublishOptions {
  /** The value that the record holds from now on; by default one of its own for each record. None: it is not kept. */
  id?: number;
  keep?: boolean;
  /** Of its claim. */
  claimBytes?: number;
  /** What it is replaced with when it leaves for the first time, bytes of payload; 0: a copy. */
  growsTo?: number;
}

/** Where a value stands, and what is written there. */
interface Value {
  readonly id: number;
  readonly position: number;
  readonly seq: number;
  readonly kind: number;
  readonly payloadBytes: number;
  readonly growsTo: number;
}

/**
 * A ring whose records are kept or not, as the caller says, with a compactor that is watched: nothing that is kept may be
 * written over, and what leaves has to be the oldest value, where it stands. Whatever is kept is readable after each step.
 */
export class CompactedRing {
  readonly transmitter: Transmitter;
  readonly receiver: Receiver;
  /** In the order of their positions. */
  readonly kept = new Map<number, Value>();
  keptBytes = 0;
  /** Values that have been written once more, and bytes of their records. */
  moved = 0;
  movedBytes = 0;
  letGo = 0;
  /** Of those moved, how many could not be read any more before they stood further on. */
  missing = 0;
  /** How far ahead of what was overwritten next the last value was when it was moved. */
  lead = 0;
  readonly #ring: RingMemory;
  readonly #keptBytesMax: number;
  readonly #compactor: Compactor;
  /** Taken by the compactor and not written yet. */
  #underWay = 0;
  #seq = 0;

  constructor({ capacity = 64 * 1024, start = 0, keptBytesMax = capacity / 4 }: CompactedRingOptions = {}) {
    this.#ring = allocateRing(capacity);
    setPositions(this.#ring, start);
    this.#keptBytesMax = keptBytesMax;
    this.transmitter = new Transmitter(this.#ring);
    this.receiver = new Receiver(this.#ring);
    this.#compactor = new Compactor(this.transmitter, (id, position) => this.#leaving(id, position));
  }

  /** Publishes a record. Returns the id of its value. */
  publish(payloadBytes: number, options: PublishOptions = {}): number {
    const { keep = options.id !== undefined, claimBytes = payloadBytes, growsTo = 0 } = options;
    this.#compactor.makeRoom(claimBytes);
    check(this.#underWay === 0, 'what was taken has been written');
    const seq = ++this.#seq;
    const id = options.id ?? seq;
    const value = { ...this.#write(id, seq, payloadBytes, claimBytes), growsTo };
    if (keep) this.#stands(value);
    this.transmitter.publish();
    return id;
  }

  /** Publishes records that are not kept until the ring has gone round so often. */
  goRound(times: number, payloadBytes: number): void {
    const end = this.transmitter.position + times * this.transmitter.capacity;
    while (this.transmitter.position < end) this.publish(payloadBytes);
  }

  /** The value need not be kept any more. */
  release(id: number): void {
    const value = this.kept.get(id);
    if (value === undefined) return;
    this.kept.delete(id);
    this.keptBytes -= recordBytes(value.payloadBytes);
  }

  /** Throws unless each value can be read, whole. */
  checkKept(): void {
    for (const { id, seq, position, kind, payloadBytes } of this.kept.values()) {
      check(this.receiver.readAt(position), `value ${id} stands at ${position}`);
      const fault = faultOf(this.receiver, { ...expectedRecord(seq, payloadBytes), kind });
      check(fault === undefined, `value ${id}: ${fault}`);
    }
  }

  #leaving(id: number, position: number): Rescue | undefined {
    const value = this.kept.get(id);
    if (value === undefined) return undefined;
    check(value.position === position, `value ${id} stands at ${value.position}, not at ${position}`);
    check(this.#oldest() === value, `value ${this.#oldest()?.id} leaves before ${id}`);
    if (this.keptBytes > this.#keptBytesMax) {
      this.letGo++;
      this.release(id);
      return undefined;
    }
    this.kept.delete(id);
    this.#underWay++;
    this.lead = position - this.transmitter.lostBy(0);
    const { growsTo, seq } = value;
    if (growsTo > 0) {
      this.keptBytes += recordBytes(growsTo) - recordBytes(value.payloadBytes);
      return { payloadBytes: growsTo, write: () => this.#move(value, this.#write(id, seq, growsTo, growsTo)) };
    }
    const copy = this.transmitter.copyOf(position);
    return { payloadBytes: copy.length, write: () => this.#carry(value, copy) };
  }

  #carry(value: Value, copy: Buffer): void {
    const position = this.transmitter.carry(copy);
    this.#checkLost();
    this.#move(value, { ...value, position, kind: CARRIED });
  }

  #move(from: Value, to: Value): void {
    if (!this.receiver.holds(from.position)) this.missing++;
    this.kept.set(to.id, to);
    this.#underWay--;
    this.#compactor.stands(to.id, to.position);
    this.moved++;
    this.movedBytes += recordBytes(to.payloadBytes);
  }

  #write(id: number, seq: number, payloadBytes: number, claimBytes: number): Value {
    const { frame } = expectedRecord(seq, payloadBytes);
    const at = this.transmitter.claim(claimBytes);
    this.#checkLost();
    this.transmitter.data.set(frame, at - (frame.length - payloadBytes));
    const position = commitWritten(this.transmitter, seq, payloadBytes);
    return { id, position, seq, kind: expectedFields(seq).kind, payloadBytes, growsTo: 0 };
  }

  #stands(value: Value): void {
    this.release(value.id);
    this.kept.set(value.id, value);
    this.keptBytes += recordBytes(value.payloadBytes);
    this.#compactor.stands(value.id, value.position);
  }

  /** Nothing is written over that is kept, but for what has been taken. */
  #checkLost(): void {
    const lost = positionsOf(this.#ring).intent - this.transmitter.capacity;
    const oldest = this.#oldest();
    check(oldest === undefined || oldest.position >= lost, `value ${oldest?.id} is lost`);
  }

  #oldest(): Value | undefined {
    for (const value of this.kept.values()) return value;
    return undefined;
  }
}

/** As `expect`, but cheap enough for each record. */
function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

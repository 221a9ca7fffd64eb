import { withAtomicsHooks } from './atomics-steps.ts';

/** One change of shared memory that another thread can see happen: a run of bytes of one of the memories. */
export interface Effect {
  readonly memory: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** True for the bytes of an `Atomics` call; what is not may become visible in pieces. */
  readonly atomic: boolean;
}

/**
 * Writes down what a writer does to shared memory, step by step, so that the steps can be replayed one at a time to a
 * reader: its `Atomics` calls, and between them the plain writes. Only for a writer that does not depend on what readers
 * write.
 */
export class EffectRecorder {
  readonly #memories: readonly Uint8Array[];
  readonly #start: readonly Uint8Array[];
  readonly #seen: readonly Uint8Array[];
  readonly #effects: Effect[] = [];

  constructor(memories: readonly SharedArrayBuffer[]) {
    this.#memories = memories.map((memory) => new Uint8Array(memory));
    this.#start = this.#memories.map((bytes) => bytes.slice());
    this.#seen = this.#memories.map((bytes) => bytes.slice());
  }

  /** Runs `work` and returns its effects. Its plain writes are one step up to the next `Atomics` call, `step`, or its end. */
  record(work: (step: () => void) => void): Effect[] {
    const plain = () => this.#look(false);
    withAtomicsHooks({ before: plain, after: () => this.#look(true) }, () => work(plain));
    plain();
    return this.#effects.splice(0);
  }

  /** Replays effects from where the memories stood when the recorder was made. */
  replay(effects: readonly Effect[]): Replay {
    return new Replay(this.#memories, this.#start, effects);
  }

  #look(atomic: boolean): void {
    for (const [memory, bytes] of this.#memories.entries()) {
      const seen = this.#seen[memory]!;
      const start = firstDifference(bytes, seen);
      if (start < 0) continue;
      const changed = bytes.slice(start, lastDifference(bytes, seen) + 1);
      seen.set(changed, start);
      this.#effects.push({ memory, offset: start, bytes: changed, atomic });
    }
  }
}

/** Cuts each plain write in two; `backwards` lets the later half become visible first, as a weaker machine may. */
export function inHalves(effects: readonly Effect[], backwards: boolean): Effect[] {
  return effects.flatMap((effect) => {
    const middle = (effect.bytes.length >> 4) << 3;
    if (effect.atomic || middle === 0) return [effect];
    const first = { ...effect, bytes: effect.bytes.subarray(0, middle) };
    const second = { ...effect, offset: effect.offset + middle, bytes: effect.bytes.subarray(middle) };
    return backwards ? [second, first] : [first, second];
  });
}

/** Shared memory as a reader finds it between two steps of the writer. */
export class Replay {
  readonly #memories: readonly Uint8Array[];
  readonly #start: readonly Uint8Array[];
  readonly #effects: readonly Effect[];
  #next = 0;

  constructor(memories: readonly Uint8Array[], start: readonly Uint8Array[], effects: readonly Effect[]) {
    this.#memories = memories;
    this.#start = start;
    this.#effects = effects;
  }

  rewind(): void {
    for (const [memory, bytes] of this.#start.entries()) this.#memories[memory]!.set(bytes);
    this.#next = 0;
  }

  /** Leaves out effects: they have not become visible yet. */
  skip(steps: number): void {
    this.#next += steps;
  }

  run(steps: number): void {
    for (let i = 0; i < steps; i++) {
      const effect = this.#effects[this.#next++];
      if (effect === undefined) throw new Error('there are no more effects');
      this.#memories[effect.memory]!.set(effect.bytes, effect.offset);
    }
  }
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i;
  return -1;
}

function lastDifference(a: Uint8Array, b: Uint8Array): number {
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return i;
  return -1;
}

import type { RingMemory } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { withAtomicsHooks } from './atomics-steps.ts';
import type { Choose } from './every-choice.ts';
import type { Replay } from './memory-effects.ts';
import { positionsOf, setPositions } from './ring-records.ts';

/** From this step on the writer either rests or does all it has left to do: the combinations stay countable. */
const STEPS_CHOSEN_FREELY = 6;
/** No receive takes more; a receiver that has gone astray may take them for ever. */
const STEPS_MAX = 200;

/**
 * A receiver that is stopped before each of its steps, while the writer does as many of its own as it likes. The receiver's
 * steps: load TAIL, copy the first half of the bytes, copy the second half, add to INTENT (which validates).
 */
export class SteppedReceiver {
  readonly receiver: Receiver;
  /** TAIL as the receiver last loaded it, INTENT as it last validated against. */
  tailSeen = Number.NaN;
  intentSeen = Number.NaN;
  #steps = 0;
  #budget: number;
  readonly #ring: RingMemory;
  readonly #replay: Replay;
  readonly #choose: Choose;
  readonly #freeSteps: number;

  /**
   * @param start position at which the receiver begins
   * @param budget steps that the writer has; the memory is rewound to before the first of them
   * @param freeSteps receiver's steps before each of which the writer may do any number
   */
  constructor(
    ring: RingMemory,
    start: number,
    replay: Replay,
    budget: number,
    choose: Choose,
    freeSteps = STEPS_CHOSEN_FREELY,
  ) {
    setPositions(ring, start);
    this.receiver = new Receiver(ring);
    replay.rewind();
    this.#ring = ring;
    this.#replay = replay;
    this.#budget = budget;
    this.#choose = choose;
    this.#freeSteps = freeSteps;
    this.#stopInCopies();
  }

  /** Runs `work`, such as a `receive`, with the writer's steps in between, and then what is left of them. */
  run<T>(work: (receiver: Receiver) => T): T {
    const before = (operation: string) => {
      this.#letWriterStep();
      const { tail, intent } = positionsOf(this.#ring);
      if (operation === 'add') this.intentSeen = intent;
      else this.tailSeen = tail;
    };
    const result = withAtomicsHooks({ before }, () => work(this.receiver));
    this.#replay.run(this.#budget);
    this.#budget = 0;
    return result;
  }

  #letWriterStep(): void {
    if (++this.#steps > STEPS_MAX) throw new Error('the receiver does not come to an end');
    if (this.#budget === 0) return;
    const free = this.#steps <= this.#freeSteps;
    const steps = free ? this.#choose(this.#budget + 1) : this.#choose(2) * this.#budget;
    this.#replay.run(steps);
    this.#budget -= steps;
  }

  #stopInCopies(): void {
    const { bytes } = this.receiver;
    const copy = Uint8Array.prototype.set;
    bytes.set = (source: ArrayLike<number>) => {
      const from = source as Uint8Array;
      const middle = (from.length >> 4) << 3;
      this.#letWriterStep();
      copy.call(bytes, from.subarray(0, middle));
      this.#letWriterStep();
      copy.call(bytes, from.subarray(middle), middle);
    };
  }
}

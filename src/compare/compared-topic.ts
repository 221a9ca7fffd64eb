import type { TopicName } from '../ring/topic-directory.ts';
import { Deque } from '../util/deque.ts';
import type { Entry } from './entry.ts';
import type { Side } from './side.ts';

/** What one server has sent of a topic. */
class TopicSide {
  /** From the oldest that is pending on; without a gap, so an ordinal tells the place. */
  readonly #recent = new Deque<Entry>();
  #count = 0;
  /** Publications that the server said will not come, since its last one. */
  lost = 0;

  get nextOrdinal(): number {
    return this.#count;
  }

  add(entry: Entry): void {
    this.#count++;
    this.#recent.push(entry);
  }

  /** Undefined where it was settled long ago, or has not come. */
  at(ordinal: number): Entry | undefined {
    const index = ordinal - (this.#count - this.#recent.length);
    return index < 0 || index >= this.#recent.length ? undefined : this.#recent.at(index);
  }

  forgetSettled(): void {
    while (this.#recent.length > 0 && !this.#recent.at(0).isPending) this.#recent.shift();
  }
}

/** What was found of one topic. */
export interface TopicCounts {
  pairs: number;
  missing: number;
  extra: number;
  reordered: number;
  differing: number;
  types: number;
}

/** A topic as it comes from both servers. */
export class ComparedTopic {
  readonly name: TopicName;
  readonly id: number;
  readonly counts: TopicCounts = { pairs: 0, missing: 0, extra: 0, reordered: 0, differing: 0, types: 0 };
  readonly #sides = { old: new TopicSide(), new: new TopicSide() };
  /** The old server's ordinal up to which the new one has come. */
  #reached = -1;

  constructor(name: TopicName, id: number) {
    this.name = name;
    this.id = id;
  }

  of(side: Side): TopicSide {
    return this.#sides[side];
  }

  /**
   * Takes the pairs in the order in which the new server sent them. @param oldOrdinal of the old server's publication
   * @returns whether the new server had already sent something that came later from the old one
   */
  isOvertaken(oldOrdinal: number): boolean {
    if (oldOrdinal < this.#reached) return true;
    this.#reached = oldOrdinal;
    return false;
  }
}

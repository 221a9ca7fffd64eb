import { addGap, type Gap } from './gap.ts';

/** Gaps that have not been told yet, by topic: oldest first, one for each reason that follows another. */
export class TopicGaps {
  readonly #gaps = new Map<number, Gap[]>();

  get isEmpty(): boolean {
    return this.#gaps.size === 0;
  }

  *all(): Generator<Gap> {
    for (const gaps of this.#gaps.values()) yield* gaps;
  }

  /** @param gap follows on those of its topic */
  add(gap: Gap): void {
    const gaps = this.#gaps.get(gap.topic);
    if (gaps === undefined) this.#gaps.set(gap.topic, [gap]);
    else addGap(gaps, gap);
  }

  /** Takes out those of such topics, in the order in which they end. */
  take(isTaken: (topic: number) => boolean): Gap[] {
    const taken: Gap[] = [];
    for (const [topic, gaps] of this.#gaps) {
      if (!isTaken(topic)) continue;
      this.#gaps.delete(topic);
      taken.push(...gaps);
    }
    return taken.sort((a, b) => a.toSeq - b.toSeq);
  }
}

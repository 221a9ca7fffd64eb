import type { TopicName } from '../ring/topic-directory.ts';
import { getOrAdd } from '../util/get-or-add.ts';
import type { Difference, DifferenceKind } from './differences.ts';
import { topicText } from './topic-form.ts';
import { valueText } from './value-text.ts';

/** How often the publications of a pair differ in one path, and in which values, for example. */
export interface FieldRow {
  readonly path: string;
  readonly kind: DifferenceKind;
  count: number;
  readonly examples: { readonly topic: string; readonly old: string; readonly new: string }[];
}

/** Publications may have any keys; rows beyond this are counted together. */
const ROWS_MAX = 1_000;

/** Differences between pairs, path by path. */
export class FieldTable {
  readonly #rows = new Map<string, FieldRow>();
  readonly #examplesMax: number;
  #beyond = 0;

  constructor(examplesMax: number) {
    this.#examplesMax = examplesMax;
  }

  /** Differences that found no row of their own. */
  get beyond(): number {
    return this.#beyond;
  }

  add({ kind, path, old, new: now }: Difference, topic: TopicName): void {
    const key = `${kind} ${path}`;
    if (this.#rows.size >= ROWS_MAX && !this.#rows.has(key)) {
      this.#beyond++;
      return;
    }
    const row = getOrAdd(this.#rows, key, () => ({ path, kind, count: 0, examples: [] }));
    row.count++;
    if (row.examples.length < this.#examplesMax) {
      row.examples.push({ topic: topicText(topic), old: valueText(old), new: valueText(now) });
    }
  }

  /** The most frequent first. */
  rows(): FieldRow[] {
    return [...this.#rows.values()].toSorted((a, b) => b.count - a.count);
  }
}

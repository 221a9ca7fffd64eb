import type { TopicDirectoryReader, TopicName } from '../ring/topic-directory.ts';
import { type FilterTerms, formOf, termsMatchForm } from '../subscription/filter.ts';
import { getOrAdd } from '../util/get-or-add.ts';
import { EarliestMatch } from './earliest-match.ts';

/** A filter with something that goes by its age: the smaller, the earlier. */
export interface Valued {
  readonly terms: FilterTerms;
  readonly value: number;
}

/** Up to so many pairs of a topic and a filter are looked at one by one: an index of the filters would take longer. */
const PAIRS_MAX = 4_096;

/**
 * Which topics a filter matches, out of those that exist: the other way round than the subscription index. Runs on a
 * shard's thread, once for each request for a snapshot, a resume or a ledger. Where a filter names symbols, its cost
 * follows the topics of those symbols; otherwise that of all.
 */
export class TopicCatalog {
  readonly #directory: TopicDirectoryReader;
  readonly #names: TopicName[] = [];
  readonly #forms: TopicName[] = [];
  readonly #bySymbol = new Map<string, number[]>();

  constructor(directory: TopicDirectoryReader) {
    this.#directory = directory;
  }

  get size(): number {
    this.#follow();
    return this.#names.length;
  }

  name(topic: number): TopicName {
    this.#follow();
    return this.#names[topic] as TopicName;
  }

  /** Topics that the filter matches, in no order. */
  matching(terms: FilterTerms): number[] {
    return this.#candidates([terms]).filter((topic) => termsMatchForm(terms, this.#forms[topic] as TopicName));
  }

  /**
   * Of each topic that any of the filters matches, the smallest of their values. Takes as long as there are combinations in
   * the filters and topics to look at, not their product: a client may hold thousands of filters, each for most topics.
   * @param among topics to look at
   */
  earliest(
    filters: readonly Valued[],
    among: readonly number[] = this.#candidates(filters.map(({ terms }) => terms)),
  ): Map<number, number> {
    const earliest = new Map<number, number>();
    const find = filters.length * among.length > PAIRS_MAX ? byIndex(filters) : oneByOne(filters);
    for (const topic of among) {
      const value = find(this.#forms[topic] as TopicName);
      if (value !== undefined) earliest.set(topic, value);
    }
    return earliest;
  }

  /** Topics with a symbol that any of the filters names, each once; all of them where one names none. */
  #candidates(filters: readonly FilterTerms[]): number[] {
    this.#follow();
    if (filters.some(({ symbols }) => symbols.length === 0)) return Array.from(this.#names.keys());
    const symbols = new Set(filters.flatMap((terms) => terms.symbols));
    return [...symbols].flatMap((symbol) => this.#bySymbol.get(symbol) ?? []);
  }

  #follow(): void {
    const count = this.#directory.count();
    while (this.#names.length < count) {
      const topic = this.#names.length;
      const name = this.#directory.name(topic);
      const form = formOf(name);
      this.#names.push(name);
      this.#forms.push(form);
      const { symbol } = form;
      if (symbol !== null) getOrAdd(this.#bySymbol, symbol, () => []).push(topic);
    }
  }
}

function byIndex(filters: readonly Valued[]): (form: TopicName) => number | undefined {
  const index = new EarliestMatch();
  for (const { terms, value } of filters) index.add(terms, value);
  return (form) => index.of(form);
}

function oneByOne(filters: readonly Valued[]): (form: TopicName) => number | undefined {
  const sorted = filters.toSorted((a, b) => a.value - b.value);
  return (form) => sorted.find(({ terms }) => termsMatchForm(terms, form))?.value;
}

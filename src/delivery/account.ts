import type { FilterTerms } from '../subscription/filter.ts';
import { DROP_REASONS } from '../telemetry/drop-reasons.ts';
import { getOrAdd } from '../util/get-or-add.ts';
import type { TopicCatalog, Valued } from './topic-catalog.ts';
import type { Ordinals, TopicTable } from './topic-table.ts';

/** What became of one topic's publications, for one client, beside plain delivery. */
export interface TopicAccount {
  merged: number;
  /** By index of DROP_REASONS. */
  readonly dropped: number[];
  /** Publications owed besides those of the filters in force: of filters withdrawn, and replayed ones. */
  owed: number;
  /** Ordinal up to which the topic's publications are in `owed`. */
  settledTo: number;
}

/** A filter in force, and how many publications each topic had had when it began. */
interface Coverage {
  readonly filterId: string;
  readonly terms: FilterTerms;
  readonly from: Ordinals;
  /** seq that everything matching is delivered from: that of the subscription, or the one it resumed from. */
  readonly sinceSeq: number;
}

/** A filter names few topics where it names less than this part of them. */
const FEW_PART = 10;

/** Never added to. */
const NO_COVERAGES: Coverage[] = [];
const NOTHING_DROPPED: readonly number[] = DROP_REASONS.map(() => 0);

/**
 * The account of one connection: what was published for it, topic by topic, and what became of that. Plain deliveries are
 * not counted one by one: a topic's publications are numbered, so where its filters and its topics' numbers began says how
 * many there were. Only what was merged or dropped is written down.
 */
export class Account {
  merged = 0;
  /** By index of DROP_REASONS. */
  dropped: readonly number[] = NOTHING_DROPPED;
  snapshots = 0;
  /** In the order in which they began: of two, the first has the lower ordinals. */
  #coverages: Coverage[] = NO_COVERAGES;
  #topics: Map<number, TopicAccount> | undefined;

  get droppedTotal(): number {
    return this.dropped.reduce((sum, count) => sum + count, 0);
  }

  /** A filter is in force from here on. @param sinceSeq see Coverage */
  begin(filterId: string, terms: FilterTerms, table: TopicTable, catalog: TopicCatalog, sinceSeq: number): void {
    const coverage = { filterId, terms, from: ordinalsNow(terms, table, catalog), sinceSeq };
    // Most clients have one, and the first that is pushed takes room for seventeen.
    if (this.#coverages.length === 0) this.#coverages = [coverage];
    else this.#coverages.push(coverage);
  }

  /** A filter is withdrawn: what was published for it stays owed. */
  end(filterId: string, table: TopicTable, catalog: TopicCatalog): void {
    const coverage = this.#coverages.find((each) => each.filterId === filterId);
    if (coverage === undefined) return;
    this.#coverages = this.#coverages.filter((each) => each !== coverage);
    const topics = catalog.matching(coverage.terms);
    const others = catalog.earliest(this.#ranked(), topics);
    for (const topic of topics) {
      // What another filter covers as well stays with that one.
      const other = others.get(topic);
      const until = other === undefined ? Number.POSITIVE_INFINITY : this.#coverages[other]!.from.ordinal(topic);
      this.#settle(topic, coverage.from.ordinal(topic), Math.min(until, table.ordinal(topic)));
    }
  }

  endAll(table: TopicTable, catalog: TopicCatalog): void {
    for (const [topic, start] of this.#startsByTopic(catalog)) this.#settle(topic, start, table.ordinal(topic));
    this.#coverages = NO_COVERAGES;
  }

  /** Each topic that a filter covers, and from which seq on the first of them does. */
  coveredSince(catalog: TopicCatalog): Map<number, number> {
    return catalog.earliest(this.#coverages.map(({ terms, sinceSeq }) => ({ terms, value: sinceSeq })));
  }

  addMerged(topic: number, count: number): void {
    if (count === 0) return;
    this.merged += count;
    this.topic(topic).merged += count;
  }

  addDropped(topic: number, reason: number, count: number): void {
    const { dropped } = this.topic(topic);
    dropped[reason] = (dropped[reason] ?? 0) + count;
    this.dropped = this.dropped.map((sum, index) => (index === reason ? sum + count : sum));
  }

  /** Further publications of a topic that are owed: replayed ones. */
  owe(topic: number, count: number): void {
    this.topic(topic).owed += count;
  }

  /** Every topic that something was published of for this client, and how many publications those were. */
  published(table: TopicTable, catalog: TopicCatalog): Map<number, number> {
    const published = new Map<number, number>();
    for (const [topic, { owed }] of this.#topics ?? []) if (owed !== 0) published.set(topic, owed);
    for (const [topic, start] of this.#startsByTopic(catalog)) {
      const from = Math.max(start, this.#topics?.get(topic)?.settledTo ?? 0);
      const count = (published.get(topic) ?? 0) + table.ordinal(topic) - from;
      if (count !== 0) published.set(topic, count);
    }
    return published;
  }

  topicOrNone(topic: number): TopicAccount | undefined {
    return this.#topics?.get(topic);
  }

  topic(topic: number): TopicAccount {
    this.#topics ??= new Map();
    return getOrAdd(this.#topics, topic, () => ({ merged: 0, dropped: [], owed: 0, settledTo: 0 }));
  }

  /** What was published of the topic between two of its ordinals is owed from now on. */
  #settle(topic: number, start: number, until: number): void {
    const from = Math.max(start, this.#topics?.get(topic)?.settledTo ?? 0);
    if (until <= from) return;
    const account = this.topic(topic);
    account.owed += until - from;
    account.settledTo = until;
  }

  /** Of each topic that a filter in force matches: its ordinal when the first of them began. */
  #startsByTopic(catalog: TopicCatalog): Map<number, number> {
    const starts = catalog.earliest(this.#ranked());
    for (const [topic, first] of starts) starts.set(topic, this.#coverages[first]!.from.ordinal(topic));
    return starts;
  }

  /** The filters in force, each with its place: that of the first is the lowest. */
  #ranked(): Valued[] {
    return this.#coverages.map(({ terms }, value) => ({ terms, value }));
  }
}

/** Of all topics 4 bytes each, of a few some 40: with a thousand filters a client, all topics for each would be too much. */
function ordinalsNow(terms: FilterTerms, table: TopicTable, catalog: TopicCatalog): Ordinals {
  if (terms.symbols.length === 0) return table.baseline();
  const topics = catalog.matching(terms);
  return topics.length < table.size / FEW_PART ? table.ordinals(topics) : table.baseline();
}

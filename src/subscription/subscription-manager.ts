import type { PooledConnection } from '../connection/pooled-connection.ts';
import type { TopicDirectoryReader } from '../ring/topic-directory.ts';
import { assert } from '../util/assert.ts';
import { Cohort } from './cohort.ts';
import { type FilterTerms, filterKey, type SubscriptionFilter, termCount } from './filter.ts';
import { SubscriptionIndex } from './subscription-index.ts';

/** What the batch stage must know when a connection changes its cohort. */
export interface CohortWatcher {
  /**
   * The connection is about to leave, though it stays open: what is in the batch is still for it. May disconnect it.
   */
  leaving(cohort: Cohort, member: PooledConnection): void;
}

/** One filter in force: what the client gave, and the form it is matched in. */
export interface HeldFilter {
  readonly filter: SubscriptionFilter;
  readonly terms: FilterTerms;
  readonly key: string;
}

/** Distinct filters by their key. */
type Filters = ReadonlyMap<string, FilterTerms>;

const ALL_TERMS: FilterTerms = { exchanges: [], symbols: [], dataTypes: [] };
const ALL_KEY = filterKey(ALL_TERMS);
const NO_COHORTS: readonly Cohort[] = [];

/**
 * Stage 6. Which connections want a topic. Runs on a shard's thread, for that shard's connections. In: filters that
 * clients set and withdraw, topics by their id. Out: the cohorts to deliver to. The answer for a topic is found once and
 * kept until any subscription changes, so a publication costs one array access.
 */
export class SubscriptionManager {
  readonly #directory: TopicDirectoryReader;
  readonly #watcher: CohortWatcher;
  readonly #index = new SubscriptionIndex<Cohort>();
  readonly #cohorts = new Map<string, { cohort: Cohort; filters: Filters }>();
  readonly #matches: (readonly Cohort[])[] = [];
  readonly #matchedAt: number[] = [];
  #generation = 1;
  #matchOperations = 0;
  #filtersInForce = 0;
  #nextFilter = 1;

  constructor(directory: TopicDirectoryReader, watcher: CohortWatcher) {
    this.#directory = directory;
    this.#watcher = watcher;
  }

  get cohortCount(): number {
    return this.#cohorts.size;
  }

  get filtersInForce(): number {
    return this.#filtersInForce;
  }

  /** Topics looked up in the index; all other matches came from what was known. */
  get matchOperations(): number {
    return this.#matchOperations;
  }

  /** The cohorts that want topic `topic`, an id from the directory. Valid until the next subscription changes. */
  match(topic: number): readonly Cohort[] {
    if (this.#matchedAt[topic] === this.#generation) return this.#matches[topic] as readonly Cohort[];
    return this.#lookUp(topic);
  }

  /** A connection that has never sent a filter and is to get everything. */
  joinFirehose(member: PooledConnection): void {
    this.#move(member, [{ terms: ALL_TERMS, key: ALL_KEY }]);
  }

  /** Adds a filter; the connection is explicit from now on. Returns the filter's id. */
  addFilter(member: PooledConnection, terms: FilterTerms, given: Partial<SubscriptionFilter>): string {
    const filterId = `filter_${this.#nextFilter++}`;
    member.explicit = true;
    member.addFilter(filterId, {
      filter: { ...given, clientId: member.id, filterId },
      terms,
      key: filterKey(terms),
    });
    member.filterTerms += termCount(terms);
    this.#filtersInForce++;
    this.#move(member, member.filters.values());
    return filterId;
  }

  /** Withdraws one filter. Returns whether there was such a one. */
  removeFilter(member: PooledConnection, filterId: string): boolean {
    const held = member.filters.get(filterId);
    if (held === undefined) return false;
    member.removeFilter(filterId);
    member.filterTerms -= termCount(held.terms);
    this.#filtersInForce--;
    this.#move(member, member.filters.values());
    return true;
  }

  /** Withdraws all filters. A connection that never had one stays what it was. */
  removeAllFilters(member: PooledConnection): void {
    if (!member.explicit) return;
    this.#forgetFilters(member);
    this.#move(member, []);
  }

  /** The connection is gone: nothing more is for it. */
  disconnect(member: PooledConnection): void {
    this.#forgetFilters(member);
    const cohort = member.cohort;
    if (cohort !== undefined) this.#leave(cohort, member);
  }

  #forgetFilters(member: PooledConnection): void {
    this.#filtersInForce -= member.filters.size;
    member.removeAllFilters();
    member.filterTerms = 0;
  }

  #lookUp(topic: number): readonly Cohort[] {
    this.#matchOperations++;
    const found = this.#index.match(this.#directory.name(topic));
    const cohorts = found.size === 0 ? NO_COHORTS : [...found];
    this.#matches[topic] = cohorts;
    this.#matchedAt[topic] = this.#generation;
    return cohorts;
  }

  /** Puts the connection into the cohort of exactly these filters, which may be the one it is in. */
  #move(member: PooledConnection, filters: Iterable<{ terms: FilterTerms; key: string }>): void {
    const wanted = withoutRepeats(filters);
    const key = [...wanted.keys()].sort().join();
    const old = member.cohort;
    if (old?.key === key) return;
    if (old?.size === 1 && wanted.size > 0 && !this.#cohorts.has(key)) return this.#change(old, key, wanted);
    if (old !== undefined) {
      this.#watcher.leaving(old, member);
      // Writing what was gathered may have closed it: then it is out already, and for good.
      if (member.cohort !== old) return;
      this.#leave(old, member);
    }
    if (wanted.size > 0) this.#join(key, wanted, member);
  }

  /**
   * A cohort of one wants something else: only what differs is changed in the index, so that a client may set thousands of
   * filters one by one. What its batch holds is still for its member.
   */
  #change(cohort: Cohort, key: string, wanted: Filters): void {
    const { filters } = this.#heldBy(cohort);
    for (const [name, terms] of wanted) if (!filters.has(name)) this.#index.add(terms, cohort);
    for (const [name, terms] of filters) if (!wanted.has(name)) this.#index.remove(terms, cohort);
    this.#cohorts.delete(cohort.key);
    cohort.key = key;
    this.#cohorts.set(key, { cohort, filters: wanted });
    this.#generation++;
  }

  #join(key: string, filters: Filters, member: PooledConnection): void {
    let held = this.#cohorts.get(key);
    if (held === undefined) {
      held = { cohort: new Cohort(key), filters };
      this.#cohorts.set(key, held);
      for (const terms of filters.values()) this.#index.add(terms, held.cohort);
      this.#generation++;
    }
    held.cohort.add(member);
  }

  #leave(cohort: Cohort, member: PooledConnection): void {
    cohort.remove(member);
    if (cohort.size > 0) return;
    const { filters } = this.#heldBy(cohort);
    this.#cohorts.delete(cohort.key);
    for (const terms of filters.values()) this.#index.remove(terms, cohort);
    this.#generation++;
  }

  #heldBy(cohort: Cohort): { filters: Filters } {
    const held = this.#cohorts.get(cohort.key);
    assert(held?.cohort === cohort, 'a cohort with members is known');
    return held;
  }
}

function withoutRepeats(filters: Iterable<{ terms: FilterTerms; key: string }>): Filters {
  const distinct = new Map<string, FilterTerms>();
  for (const { key, terms } of filters) {
    // A filter that wants everything makes the others say nothing new.
    if (key === ALL_KEY) return new Map([[ALL_KEY, ALL_TERMS]]);
    distinct.set(key, terms);
  }
  return distinct;
}

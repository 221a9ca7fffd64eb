import type { TopicName } from '../ring/topic-directory.ts';
import { getOrAdd } from '../util/get-or-add.ts';
import { ANY, type FilterTerms, JUST_ANY, type NameOrAny, namesOrAny } from './filter.ts';
import { dataTypeForm, exchangeForm, isKlineOfInterval, symbolForm } from './normal-form.ts';

/** An entry, and how many filters it stands there for: those of one entry may name the same combination. */
type Entries<T> = Map<T, number>;
type ByDataType<T> = Map<NameOrAny, Entries<T>>;
type BySymbol<T> = Map<NameOrAny, ByDataType<T>>;

/**
 * Which of any number of filters match a topic, in time that does not depend on how many there are. A filter is stored
 * under every combination of the names it lists, ANY standing for an empty list; a topic is looked up under the eight
 * combinations of its three names and ANY (twelve for a kline with an interval, which is also a `kline`).
 *
 * @typeParam T what a filter leads to; here the cohorts that hold it
 */
export class SubscriptionIndex<T> {
  readonly #byExchange = new Map<NameOrAny, BySymbol<T>>();
  #size = 0;

  /** Entries stored, one for each combination that it has. */
  get size(): number {
    return this.#size;
  }

  /** Stores `entry` under the filter. Undone by `remove` with the same terms and entry. */
  add(terms: FilterTerms, entry: T): void {
    for (const exchange of namesOrAny(terms.exchanges)) {
      const bySymbol = getOrAdd(this.#byExchange, exchange, () => new Map());
      for (const symbol of namesOrAny(terms.symbols)) {
        const byDataType = getOrAdd(bySymbol, symbol, () => new Map());
        for (const dataType of namesOrAny(terms.dataTypes)) this.#addTo(byDataType, dataType, entry);
      }
    }
  }

  remove(terms: FilterTerms, entry: T): void {
    for (const exchange of namesOrAny(terms.exchanges)) {
      const bySymbol = this.#byExchange.get(exchange);
      if (bySymbol === undefined) continue;
      for (const symbol of namesOrAny(terms.symbols)) {
        const byDataType = bySymbol.get(symbol);
        if (byDataType === undefined) continue;
        for (const dataType of namesOrAny(terms.dataTypes)) this.#removeFrom(byDataType, dataType, entry);
        if (byDataType.size === 0) bySymbol.delete(symbol);
      }
      if (bySymbol.size === 0) this.#byExchange.delete(exchange);
    }
  }

  /** Every entry whose filter matches the topic, each once. A topic without a name fails a filter that lists any. */
  match(topic: TopicName): Set<T> {
    const found = new Set<T>();
    const exchanges = nameAndAny(topic.exchange === null ? null : exchangeForm(topic.exchange));
    const symbols = nameAndAny(topic.symbol === null ? null : symbolForm(topic.symbol));
    const dataTypes = dataTypesOf(topic.dataType);
    for (const exchange of exchanges) {
      const bySymbol = this.#byExchange.get(exchange);
      if (bySymbol === undefined) continue;
      for (const symbol of symbols) collect(found, bySymbol.get(symbol), dataTypes);
    }
    return found;
  }

  #addTo(byDataType: ByDataType<T>, dataType: NameOrAny, entry: T): void {
    const entries = getOrAdd(byDataType, dataType, () => new Map());
    const filters = entries.get(entry) ?? 0;
    if (filters === 0) this.#size++;
    entries.set(entry, filters + 1);
  }

  #removeFrom(byDataType: ByDataType<T>, dataType: NameOrAny, entry: T): void {
    const entries = byDataType.get(dataType);
    const filters = entries?.get(entry);
    if (entries === undefined || filters === undefined) return;
    if (filters > 1) {
      entries.set(entry, filters - 1);
      return;
    }
    entries.delete(entry);
    this.#size--;
    if (entries.size === 0) byDataType.delete(dataType);
  }
}

function collect<T>(found: Set<T>, byDataType: ByDataType<T> | undefined, dataTypes: readonly NameOrAny[]): void {
  if (byDataType === undefined) return;
  for (const dataType of dataTypes) {
    const entries = byDataType.get(dataType);
    if (entries !== undefined) for (const entry of entries.keys()) found.add(entry);
  }
}

function nameAndAny(name: string | null): readonly NameOrAny[] {
  return name === null ? JUST_ANY : [name, ANY];
}

function dataTypesOf(dataType: string | null): readonly NameOrAny[] {
  if (dataType === null) return JUST_ANY;
  const form = dataTypeForm(dataType);
  return isKlineOfInterval(form) ? [form, 'kline', ANY] : [form, ANY];
}

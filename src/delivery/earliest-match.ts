import type { TopicName } from '../ring/topic-directory.ts';
import { ANY, type FilterTerms, type NameOrAny, namesOrAny } from '../subscription/filter.ts';
import { isKlineOfInterval } from '../subscription/normal-form.ts';
import { getOrAdd } from '../util/get-or-add.ts';

type ByDataType = Map<NameOrAny, number>;
type BySymbol = Map<NameOrAny, ByDataType>;

/**
 * The smallest of the values of all filters that match a topic, in time that does not depend on how many do. As in the
 * subscription index a filter stands under every combination that it names, but a combination holds one number only.
 */
export class EarliestMatch {
  readonly #byExchange = new Map<NameOrAny, BySymbol>();

  add({ exchanges, symbols, dataTypes }: FilterTerms, value: number): void {
    for (const exchange of namesOrAny(exchanges)) {
      const bySymbol = getOrAdd(this.#byExchange, exchange, () => new Map());
      for (const symbol of namesOrAny(symbols)) {
        const byDataType = getOrAdd(bySymbol, symbol, () => new Map());
        for (const name of namesOrAny(dataTypes)) byDataType.set(name, Math.min(byDataType.get(name) ?? value, value));
      }
    }
  }

  /** @param form a topic's name in the form in which it is matched @returns undefined where no filter matches */
  of({ exchange, symbol, dataType }: TopicName): number | undefined {
    const ofAny = earliestOf(this.#byExchange.get(ANY), symbol, dataType);
    const earliest =
      exchange === ANY ? ofAny : Math.min(ofAny, earliestOf(this.#byExchange.get(exchange), symbol, dataType));
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }
}

function earliestOf(bySymbol: BySymbol | undefined, symbol: NameOrAny, dataType: NameOrAny): number {
  if (bySymbol === undefined) return Number.POSITIVE_INFINITY;
  const ofAny = earliestOfTypes(bySymbol.get(ANY), dataType);
  return symbol === ANY ? ofAny : Math.min(ofAny, earliestOfTypes(bySymbol.get(symbol), dataType));
}

function earliestOfTypes(byDataType: ByDataType | undefined, dataType: NameOrAny): number {
  if (byDataType === undefined) return Number.POSITIVE_INFINITY;
  const value = (name: NameOrAny) => byDataType.get(name) ?? Number.POSITIVE_INFINITY;
  const earliest = Math.min(value(ANY), value(dataType));
  return dataType !== ANY && isKlineOfInterval(dataType) ? Math.min(earliest, value('kline')) : earliest;
}

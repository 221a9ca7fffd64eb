import type { TopicName } from '../ring/topic-directory.ts';
import { dataTypeForm, exchangeForm, isKlineOfInterval, symbolForm } from './normal-form.ts';

/** What a client asks for, as it asked: AND across the keys, OR within one, an empty or missing list means any. */
export interface SubscriptionFilter {
  exchange?: unknown;
  symbols?: unknown;
  dataTypes?: unknown;
  clientId: string;
  filterId: string;
}

/** A filter in the form it is matched in: distinct, sorted names; an empty list means any. */
export interface FilterTerms {
  readonly exchanges: readonly string[];
  readonly symbols: readonly string[];
  readonly dataTypes: readonly string[];
}

/** Stands for an empty list where filters are stored by name. No name is null, so nothing a client sends is mistaken for it. */
export const ANY = null;
export type NameOrAny = string | typeof ANY;

/** Why a filter is refused: the key it was under, what was wrong with it, and what is allowed. */
export interface FilterProblem {
  key: string;
  problem: string;
  allowed: string;
}

export const JUST_ANY: readonly NameOrAny[] = [ANY];

/** Longest name in a filter, in UTF-16 units. */
export const NAME_LENGTH_MAX = 256;

const ALIASES = {
  exchange: ['exchange', 'exchanges'],
  symbols: ['symbols', 'symbol'],
  dataTypes: ['dataTypes', 'types', 'dataType'],
} as const;

type FilterKey = keyof typeof ALIASES;

/** Every key that a subscription may write a list of names under. */
export const FILTER_KEYS: readonly string[] = Object.values(ALIASES).flat();

export interface ParsedFilter {
  terms: FilterTerms;
  /** Only what was given of the three keys, unchanged: what the reply repeats. */
  given: Partial<Record<FilterKey, unknown>>;
}

/** Reads a subscribe payload, which is whatever the client sent: any JSON object. */
export function parseFilter(payload: Record<string, unknown>): ParsedFilter | FilterProblem {
  const given: ParsedFilter['given'] = {};
  const lists: Record<FilterKey, string[]> = { exchange: [], symbols: [], dataTypes: [] };
  for (const key of Object.keys(ALIASES) as FilterKey[]) {
    const alias = ALIASES[key].find((name) => Object.hasOwn(payload, name) && payload[name] != null);
    if (alias === undefined) continue;
    const names = listOfNames(payload[alias]);
    if (!Array.isArray(names)) return { key: alias, ...names };
    given[key] = payload[alias];
    lists[key] = names;
  }
  const terms = {
    exchanges: distinct(lists.exchange.map(exchangeForm)),
    symbols: distinct(lists.symbols.map(symbolForm)),
    dataTypes: distinct(lists.dataTypes.map(dataTypeForm)),
  };
  return { terms, given };
}

export function isFilterProblem(parsed: ParsedFilter | FilterProblem): parsed is FilterProblem {
  return 'problem' in parsed;
}

/** Under which names a list of a filter is stored: those it holds, or ANY. */
export function namesOrAny(names: readonly string[]): readonly NameOrAny[] {
  return names.length === 0 ? JUST_ANY : names;
}

/** Combinations that a filter names, which is what the index stores for it. */
export function termCount({ exchanges, symbols, dataTypes }: FilterTerms): number {
  return Math.max(1, exchanges.length) * Math.max(1, symbols.length) * Math.max(1, dataTypes.length);
}

/** A topic's name in the form in which it is matched. */
export function formOf({ exchange, symbol, dataType }: TopicName): TopicName {
  return {
    exchange: exchange === null ? null : exchangeForm(exchange),
    symbol: symbol === null ? null : symbolForm(symbol),
    dataType: dataType === null ? null : dataTypeForm(dataType),
  };
}

/** Whether one filter matches one topic. For single questions; the index answers for all filters at once. */
export function termsMatch(terms: FilterTerms, topic: TopicName): boolean {
  return termsMatchForm(terms, formOf(topic));
}

/** As `termsMatch`, for a topic's form: a tenth of the time, where many filters are asked about it. */
export function termsMatchForm({ exchanges, symbols, dataTypes }: FilterTerms, form: TopicName): boolean {
  const { exchange, symbol, dataType } = form;
  return (
    lists(exchanges, exchange) &&
    lists(symbols, symbol) &&
    (lists(dataTypes, dataType) || (dataType !== null && isKlineOfInterval(dataType) && dataTypes.includes('kline')))
  );
}

function lists(names: readonly string[], name: string | null): boolean {
  return names.length === 0 || (name !== null && names.includes(name));
}

/** The same for two filters that want the same. */
export function filterKey({ exchanges, symbols, dataTypes }: FilterTerms): string {
  return JSON.stringify([exchanges, symbols, dataTypes]);
}

function listOfNames(value: unknown): string[] | Omit<FilterProblem, 'key'> {
  const allowed = `a string or a list of strings of 1 to ${NAME_LENGTH_MAX} characters`;
  const list = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list)) return { problem: `is ${describe(value)}`, allowed };
  for (const [index, name] of list.entries()) {
    if (typeof name !== 'string') return { problem: `item ${index} is ${describe(name)}`, allowed };
    if (name === '') return { problem: `item ${index} is empty`, allowed };
    if (name.length > NAME_LENGTH_MAX) return { problem: `item ${index} has ${name.length} characters`, allowed };
  }
  return list;
}

function distinct(names: string[]): string[] {
  return [...new Set(names)].sort();
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

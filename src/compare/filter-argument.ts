import { nearestName } from '../config/nearest-name.ts';
import { showName } from '../config/reading.ts';
import { FILTER_KEYS, type FilterTerms, isFilterProblem, parseFilter } from '../subscription/filter.ts';
import { errorMessage } from '../util/errors.ts';
import { Refusal } from './refusal.ts';

/** What `--filter` says. */
export interface FilterArgument {
  /** The payload of the subscription that both servers are sent. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** By which both streams are filtered here, since a server may broadcast everything all the same. */
  readonly terms: FilterTerms;
}

export const ALLOWED_FILTERS =
  'exchange=a|b,symbols=C|D,dataTypes=e with any of the three, or the JSON of such a filter, {"symbols":["C"]}';

/** Reads both forms, with the names and aliases that a `subscribe` knows. */
export function readFilter(text: string): FilterArgument {
  const payload = text.trimStart().startsWith('{') ? fromJson(text) : fromPairs(text);
  for (const key of Object.keys(payload)) if (!FILTER_KEYS.includes(key)) throw unknownKey(text, key);
  const parsed = parseFilter(payload);
  if (isFilterProblem(parsed)) throw new Refusal(text, `as ${parsed.key} ${parsed.allowed}; it ${parsed.problem}`);
  return { payload: parsed.given, terms: parsed.terms };
}

function fromJson(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new Refusal(text, `${ALLOWED_FILTERS}; as JSON: ${errorMessage(error)}`);
  }
}

function fromPairs(text: string): Record<string, unknown> {
  const payload: Record<string, unknown> = {};
  for (const pair of text.split(',')) {
    const [key = '', values, ...more] = pair.split('=').map((part) => part.trim());
    if (values === undefined || more.length > 0 || Object.hasOwn(payload, key))
      throw new Refusal(text, ALLOWED_FILTERS);
    payload[key] = values.split('|').map((value) => value.trim());
  }
  return payload;
}

function unknownKey(text: string, key: string): Refusal {
  const nearest = nearestName(key, FILTER_KEYS);
  const hint = nearest === undefined ? '' : `, did you mean ${nearest}?`;
  return new Refusal(text, `${ALLOWED_FILTERS}; ${showName(key)} is none of these${hint}`);
}

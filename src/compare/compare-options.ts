import { ALLOWED_ADDRESSES, readAddress } from './address.ts';
import { readAllowance } from './allowance.ts';
import { ALLOWED_FILTERS, readFilter } from './filter-argument.ts';
import { readPaths } from './ignored-paths.ts';
import { Refusal } from './refusal.ts';

const MIB = 1024 * 1024;
const DAY_S = 86_400;
const COUNT_MAX = 1_000_000_000;

/** One option of `compare`. */
interface OptionRow<T> {
  /** What stands behind it in the help; '' where it takes no value. */
  readonly value: string;
  /** As it would be written; undefined where there is none. */
  readonly default: string | undefined;
  readonly sentence: string;
  /** Throws a Refusal. */
  readonly read: (text: string) => T;
}

/** Every option, in the order of the help. */
export const COMPARE_OPTIONS = {
  old: row('ADDRESS', undefined, 'the server that is replaced', readAddress),
  new: row('ADDRESS', undefined, 'the server that takes its place', readAddress),
  filter: row('FILTER', undefined, `what to compare: ${ALLOWED_FILTERS}`, readFilter),
  ignore: row(
    'PATHS',
    undefined,
    'fields that may differ, such as timestamp,data.ts,data.bids[][]; may be repeated',
    readPaths,
  ),
  seconds: row('SECONDS', '60', 'how long to compare', numberFrom(0.1, DAY_S)),
  'warm-up': row(
    'SECONDS',
    '2',
    'what comes before that, since both connections stand, does not count',
    numberFrom(0, 3_600),
  ),
  settle: row(
    'SECONDS',
    '5',
    'how long to wait behind it for what only one server has sent so far',
    numberFrom(0, 3_600),
  ),
  window: row(
    'SECONDS',
    '10',
    'a publication that has not come from both servers by then is missing',
    numberFrom(0.1, 3_600),
  ),
  'allow-missing': allowance('publications that only the old server sends'),
  'allow-extra': allowance('publications that only the new server sends'),
  'allow-reordered': allowance('publications that the new server sends later than one that followed them'),
  'allow-differing': allowance('publications with a value that differs'),
  'allow-types': allowance('publications with a number that is a text on the other server'),
  'allow-unusable': row('COUNT', '0', 'accepted: messages that are no JSON object', integerFrom(0, COUNT_MAX)),
  'allow-disconnects': row('COUNT', '0', 'accepted: lost connections', integerFrom(0, COUNT_MAX)),
  examples: row('COUNT', '3', 'how many examples to show of each finding', integerFrom(0, 100)),
  'pending-messages': row(
    'COUNT',
    '1000000',
    'publications that may wait for the other server',
    integerFrom(1, COUNT_MAX),
  ),
  'pending-bytes': row('BYTES', String(128 * MIB), 'text that these may hold', integerFrom(1, 4_096 * MIB)),
  'message-bytes': row('BYTES', String(16 * MIB), 'a longer message ends its connection', integerFrom(1, 512 * MIB)),
  topics: row('COUNT', '100000', 'publications of further topics are not compared', integerFrom(1, 10_000_000)),
  'connect-timeout': row('SECONDS', '10', 'how long a server may take to accept the connection', numberFrom(0.1, 300)),
  json: row('', 'false', 'print the report as JSON', readFlag),
  report: row('FILE', undefined, 'write the report as JSON to this file as well', readText),
} as const;

export type CompareOptionName = keyof typeof COMPARE_OPTIONS;

type ValueOf<N extends CompareOptionName> = ReturnType<(typeof COMPARE_OPTIONS)[N]['read']>;
/** Those that have no default and need not be given. */
type Optional = 'filter' | 'ignore' | 'report';

export type CompareOptions = { readonly [N in Exclude<CompareOptionName, Optional>]: ValueOf<N> } & {
  readonly [N in Optional]: ValueOf<N> | undefined;
};

export const NEEDED_OPTIONS = ['old', 'new'] as const satisfies CompareOptionName[];
/** The allowed values of an option that has to be given. */
export const ALLOWED_NEEDED = ALLOWED_ADDRESSES;

function row<T>(
  value: string,
  standard: string | undefined,
  sentence: string,
  read: (text: string) => T,
): OptionRow<T> {
  return { value, default: standard, sentence, read };
}

function allowance(what: string) {
  return row('ALLOWANCE', '0', `accepted: ${what}`, readAllowance);
}

function numberFrom(least: number, most: number): (text: string) => number {
  return (text) => numberIn(text, /^\d+(?:\.\d+)?$/, least, most, `${least} to ${most}`);
}

function integerFrom(least: number, most: number): (text: string) => number {
  return (text) => numberIn(text, /^\d+$/, least, most, `a whole number, ${least} to ${most}`);
}

function numberIn(text: string, form: RegExp, least: number, most: number, allowed: string): number {
  const number = form.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most)) throw new Refusal(text, allowed);
  return number;
}

function readFlag(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new Refusal(text, 'true or false');
  return text === 'true';
}

function readText(text: string): string {
  if (text === '') throw new Refusal(text, 'the path of a file');
  return text;
}

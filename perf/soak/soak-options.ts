import { parseArgs } from 'node:util';
import { type NumberOption, numberOption, parseNumber } from '../load/number-option.ts';
import { runSeed } from '../truth/run-seed.ts';

/** A soak. Only 127.0.0.1 is ever connected to, and every number has an upper bound. */
export interface SoakOptions {
  minutes: number;
  clients: number;
  instances: number;
  shards: number;
  rate: number;
  padding: number;
  /** Seconds; 0: never. */
  reloadEvery: number;
  crashEvery: number;
  seed: number;
  /** Into perf/results/soak rather than a directory that is not kept. */
  isKept: boolean;
}

type NumberKey = Exclude<keyof SoakOptions, 'isKept'>;

/** Of the whole time, where `--reload-every` and `--crash-every` are not given. */
const RELOADS = 6;
const CRASHES = 10;
const UNSET = -1;

const NUMBERS: readonly NumberOption<NumberKey>[] = [
  numberOption('minutes', 'minutes', 0.1, 10_080, 10, 'how long', false),
  numberOption('clients', 'clients', 1, 2_000, 50, 'clients at a time; each lives for up to a minute'),
  numberOption('instances', 'instances', 1, 8, 2, 'processes on one port'),
  numberOption('shards', 'shards', 1, 16, 2, 'shard threads of each'),
  numberOption('rate', 'rate', 1, 50_000, 500, 'publications a second'),
  numberOption('padding', 'padding', 0, 20_000, 1_500, 'characters of padding in each publication'),
  numberOption(
    'reload-every',
    'reloadEvery',
    0,
    86_400,
    UNSET,
    'seconds between reloads, in the first 40 %; 0: never',
    false,
  ),
  numberOption('crash-every', 'crashEvery', 0, 86_400, UNSET, 'seconds between crashes of a shard; 0: never', false),
  numberOption('seed', 'seed', 1, 2_147_483_646, UNSET, 'what clients, market and crashes follow from'),
];

/** Throws an Error that names the option, its value and what is allowed. */
export function parseSoakOptions(args: readonly string[]): SoakOptions {
  const names = NUMBERS.map(({ name }) => [name, { type: 'string' as const }]);
  const keep = ['keep', { type: 'boolean' as const }];
  const { values } = parseArgs({ args: [...args], options: Object.fromEntries([...names, keep]), strict: true });
  const { keep: isKept, ...texts } = values as Record<string, string | true | undefined>;
  const given = texts as Record<string, string | undefined>;
  const numbers = Object.fromEntries(NUMBERS.map((option) => [option.key, parseNumber(option, given[option.name])]));
  const { reloadEvery, crashEvery, seed, ...others } = numbers as Record<NumberKey, number>;
  const seconds = others.minutes * 60;
  return {
    ...others,
    reloadEvery: reloadEvery === UNSET ? seconds / RELOADS : reloadEvery,
    crashEvery: crashEvery === UNSET ? seconds / CRASHES : crashEvery,
    seed: seed === UNSET ? runSeed() : seed,
    isKept: isKept === true,
  };
}

export function soakUsage(): string {
  const usual = { reloadEvery: 'a sixth of the time', crashEvery: 'a tenth', seed: 'another each time' };
  const lines = NUMBERS.map(({ name, key, about, default: value }) => {
    const shown = value === UNSET ? usual[key as keyof typeof usual] : value;
    return `  --${name.padEnd(13)} ${about} (${shown})`;
  });
  return [
    'use: npm run soak -- [options]',
    ...lines,
    '  --keep          into perf/results/soak; else into a new directory below perf/profiles',
  ].join('\n');
}

import { parseArgs } from 'node:util';
import { errorMessage } from '../../src/util/errors.ts';
import { type NumberOption, numberOption, parseNumber } from '../load/number-option.ts';

/** The load that a profile is taken under. Each topic is a symbol's trades. */
export interface ProfileLoad {
  connections: number;
  topics: number;
  topicsEach: number;
  /** Publications a second, over all topics. */
  rate: number;
  seconds: number;
  shards: number;
}

const OPTIONS: readonly NumberOption<keyof ProfileLoad>[] = [
  numberOption('connections', 'connections', 1, 10_000, 500, 'clients'),
  numberOption('topics', 'topics', 1, 100_000, 100, 'topics that are published'),
  numberOption('topics-each', 'topicsEach', 1, 1_000, 10, 'topics of each client'),
  numberOption('rate', 'rate', 1, 1_000_000, 2_000, 'publications a second, over all topics'),
  numberOption('seconds', 'seconds', 1, 120, 10, 'how long the load lasts', false),
  numberOption('shards', 'shards', 1, 64, 1, 'shard threads'),
];

/** @param defaults in place of the usual ones. Throws an Error that names what is wrong. */
export function parseProfileLoad(args: readonly string[], defaults: Partial<ProfileLoad> = {}): ProfileLoad {
  return parseNumbers(withDefaults(defaults), args) as unknown as ProfileLoad;
}

/** As `parseProfileLoad`; what is wrong, and what there is, goes to standard error, and the process ends with status 2. */
export function profileLoadOrExit(script: string, defaults: Partial<ProfileLoad> = {}): ProfileLoad {
  const options = withDefaults(defaults);
  return numbersOrExit(script, options) as unknown as ProfileLoad;
}

/** The numbers of a script's command line. Ends the process with status 2, and with what is allowed, for a wrong one. */
export function numbersOrExit(script: string, options: readonly NumberOption<string>[]): Record<string, number> {
  try {
    return parseNumbers(options, process.argv.slice(2));
  } catch (error) {
    const lines = options.map(({ name, about, default: usual }) => `  --${name.padEnd(14)} ${about} (${usual})`);
    console.error([errorMessage(error), `use: npm run ${script} -- [options]`, ...lines].join('\n'));
    process.exit(2);
  }
}

function parseNumbers(options: readonly NumberOption<string>[], args: readonly string[]): Record<string, number> {
  const names = options.map(({ name }) => [name, { type: 'string' as const }]);
  const { values } = parseArgs({ args: [...args], options: Object.fromEntries(names), strict: true });
  const given = values as Record<string, string | undefined>;
  return Object.fromEntries(options.map((option) => [option.key, parseNumber(option, given[option.name])]));
}

function withDefaults(defaults: Partial<ProfileLoad>): NumberOption<keyof ProfileLoad>[] {
  return OPTIONS.map((option) => ({ ...option, default: defaults[option.key] ?? option.default }));
}

import { parseArgs } from 'node:util';
import { type NumberOption, numberOption, parseNumber } from '../load/number-option.ts';

/** A storm: clients that all leave at once, and all come back at once. Only 127.0.0.1 is ever connected to. */
export interface StormOptions {
  port: number;
  clients: number;
  /** How many symbols there are, and how many of them each client asks for. */
  symbols: number;
  symbolsEach: number;
  /** How long all are there before they leave. */
  beforeS: number;
  awayMs: number;
  /** Time to come in, and time to catch up. */
  timeoutS: number;
  /** How long they stay when the last has caught up. */
  afterS: number;
  /** 1: they resume where they left. 0: they just subscribe again. */
  resumes: number;
}

const NUMBERS: readonly NumberOption<keyof StormOptions>[] = [
  numberOption('port', 'port', 1, 65_535, 8080, 'port on 127.0.0.1'),
  numberOption('clients', 'clients', 1, 20_000, 1_000, 'how many leave and come back'),
  numberOption('symbols', 'symbols', 1, 1_000_000, 100, 'number of symbols'),
  numberOption('symbols-each', 'symbolsEach', 1, 10_000, 10, 'symbols of each client'),
  numberOption('before-s', 'beforeS', 0, 120, 5, 'how long all are there before they leave', false),
  numberOption('away-ms', 'awayMs', 0, 60_000, 2_000, 'how long they are away'),
  numberOption('timeout-s', 'timeoutS', 1, 120, 20, 'time to come in, and time to catch up', false),
  numberOption('after-s', 'afterS', 0, 120, 1, 'how long they stay afterwards', false),
  numberOption('resumes', 'resumes', 0, 1, 1, '1: they resume where they left; 0: they just subscribe again'),
];

export function stormUsage(): string {
  const lines = NUMBERS.map((option) => `  --${option.name.padEnd(14)} ${option.about} (${option.default})`);
  return ['use: node perf/storm/main.ts [options]', ...lines].join('\n');
}

/** Throws an Error that names the option, its value and what is allowed. */
export function parseStormOptions(args: readonly string[]): StormOptions {
  const names = NUMBERS.map(({ name }) => [name, { type: 'string' as const }]);
  const { values } = parseArgs({ args: [...args], options: Object.fromEntries(names), strict: true });
  const given = values as Record<string, string | undefined>;
  const options = Object.fromEntries(NUMBERS.map((option) => [option.key, parseNumber(option, given[option.name])]));
  const result = options as unknown as StormOptions;
  if (result.symbolsEach > result.symbols) throw new Error('--symbols-each is more than --symbols');
  return result;
}

/** Options back as arguments, for a process to be started with. */
export function stormArguments(options: Partial<StormOptions>): string[] {
  return NUMBERS.flatMap(({ name, key }) => (options[key] === undefined ? [] : [`--${name}`, String(options[key])]));
}

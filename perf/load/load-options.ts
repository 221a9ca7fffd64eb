import { parseArgs } from 'node:util';
import { Random } from '../../src/source/random.ts';
import { DIALECTS, type DialectName, isDialect } from './dialect.ts';
import { type NumberOption, numberOption, parseNumber } from './number-option.ts';

/** What a load run does. Only 127.0.0.1 is ever connected to, and every number has an upper bound. */
export interface LoadOptions {
  port: number;
  path: string;
  connections: number;
  /** Connections begun per second, over all processes. */
  connectRate: number;
  /** What has not opened by then counts as failed, and the run goes on with the rest. */
  connectTimeoutS: number;
  /** `all`, `filter`, `random`, `none`, or the text to send. */
  subscribe: string;
  exchange: string;
  prefix: string;
  /** How many symbols there are, and how many of them each connection asks for; for `filter` and `random`. */
  symbols: number;
  symbolsEach: number;
  /** How many symbols each connection asks for beside those, of which nothing is ever published; for `filter`. */
  symbolsIdle: number;
  /** What the server speaks within its messages. */
  dialect: DialectName;
  warmupS: number;
  seconds: number;
  /** How many connections read only `slowBytes` every `slowIntervalMs`. They are not in the per-connection counts. */
  slow: number;
  slowBytes: number;
  slowIntervalMs: number;
  /**
   * How many connections subscribe and then read nothing more, until counting has ended: then they read for `drainS`, to
   * learn what they were told and whether they were closed. They are reported apart.
   */
  stalled: number;
  drainS: number;
  /** How many connections, the last ones, offer permessage-deflate. A few of them inflate what comes, for its latency. */
  deflating: number;
  /** Processes whose CPU and memory are reported. */
  pids: number[];
  sampleEvery: number;
  /** JSON key in the first 256 bytes of a message that holds the time it was due, µs or ms since the epoch. */
  timestampKey: string;
  /** Where it is not 0, latencies are also reported by intervals of this length. */
  intervalMs: number;
  /** 1: the report has the buckets of the latencies too, to be merged with those of other runs. */
  buckets: number;
  processes: number;
  /** How far the generator gives way to other programs, as nice(1) does. */
  niceness: number;
}

const NUMBERS: readonly NumberOption<keyof LoadOptions>[] = [
  numberOption('port', 'port', 1, 65_535, 8080, 'port on 127.0.0.1'),
  numberOption('connections', 'connections', 1, 100_000, 100, 'connections to open'),
  numberOption('connect-rate', 'connectRate', 1, 100_000, 5_000, 'connections begun per second'),
  numberOption('connect-timeout-s', 'connectTimeoutS', 1, 300, 60, 'time to open them all', false),
  numberOption('symbols', 'symbols', 1, 1_000_000, 100, 'number of symbols, for --subscribe filter'),
  numberOption('symbols-each', 'symbolsEach', 1, 10_000, 10, 'symbols of each connection, for --subscribe filter'),
  numberOption('symbols-idle', 'symbolsIdle', 0, 10_000, 0, 'more of them, which nobody publishes'),
  numberOption('warmup-s', 'warmupS', 0, 120, 1, 'time before counting begins', false),
  numberOption('seconds', 'seconds', 0.1, 600, 5, 'measured time', false),
  numberOption('slow', 'slow', 0, 100_000, 0, 'how many of the connections read slowly'),
  numberOption('slow-bytes', 'slowBytes', 1, 65_536, 256, 'what a slow one reads at a time'),
  numberOption('slow-interval-ms', 'slowIntervalMs', 1, 60_000, 50, 'how long it waits in between'),
  numberOption('stalled', 'stalled', 0, 100_000, 0, 'how many of the connections never read'),
  numberOption('deflating', 'deflating', 0, 100_000, 0, 'how many of the connections offer permessage-deflate'),
  numberOption('drain-s', 'drainS', 0, 120, 1, 'how long those read at the end, to learn what they were told', false),
  numberOption('interval-ms', 'intervalMs', 0, 60_000, 0, 'latencies also by intervals of this length; 0: not'),
  numberOption('buckets', 'buckets', 0, 1, 0, '1: report the buckets of the latencies too'),
  numberOption(
    'sample-every',
    'sampleEvery',
    1,
    1_000_000,
    16,
    'latency and order are looked at on every n-th message',
  ),
  numberOption('processes', 'processes', 1, 16, 1, 'generator processes'),
  numberOption('niceness', 'niceness', 0, 19, 0, 'how far they give way to other programs'),
];

const TEXTS = [
  { name: 'path', key: 'path', default: '/ws', about: 'request path' },
  { name: 'subscribe', key: 'subscribe', default: 'all', about: 'all | filter | random | none | text to send' },
  { name: 'exchange', key: 'exchange', default: 'binance', about: 'exchange, for --subscribe filter' },
  { name: 'prefix', key: 'prefix', default: 'SYM', about: 'symbols are named by this and a number from 0' },
  { name: 'dialect', key: 'dialect', default: 'plain', about: Object.keys(DIALECTS).join(' | ') },
  { name: 'pids', key: 'pids', default: '', about: 'server processes, separated by commas' },
  { name: 'timestamp-key', key: 'timestampKey', default: 'ts', about: 'JSON key of the time a message was due' },
] as const;

/** One line an option. */
export function loadUsage(): string {
  const lines = [...NUMBERS, ...TEXTS].map(
    (option) => `  --${option.name.padEnd(18)} ${option.about} (${option.default === '' ? 'none' : option.default})`,
  );
  return ['use: node perf/load/main.ts [options]', ...lines].join('\n');
}

/** Throws an Error that names the option, its value and what is allowed. */
export function parseLoadOptions(args: readonly string[]): LoadOptions {
  const names = [...NUMBERS, ...TEXTS].map((option) => [option.name, { type: 'string' as const }]);
  const { values } = parseArgs({ args: [...args], options: Object.fromEntries(names), strict: true });
  const given = values as Record<string, string | undefined>;
  const options: Record<string, unknown> = {};
  for (const option of NUMBERS) options[option.key] = parseNumber(option, given[option.name]);
  for (const option of TEXTS) options[option.key] = given[option.name] ?? option.default;
  options.pids = parsePids(String(options.pids));
  const result = options as unknown as LoadOptions;
  checkTogether(result);
  return result;
}

function parsePids(text: string): number[] {
  if (text === '') return [];
  return text.split(',').map((part) => {
    if (!/^[1-9]\d{0,9}$/.test(part)) throw new Error(`--pids has ${JSON.stringify(part)}; allowed: process ids`);
    return Number(part);
  });
}

function checkTogether(options: LoadOptions): void {
  if (!/^\/[^\s]*$/.test(options.path)) throw new Error(`--path is ${JSON.stringify(options.path)}; it starts with /`);
  if (!isDialect(options.dialect)) {
    const all = Object.keys(DIALECTS).join(', ');
    throw new Error(`--dialect is ${JSON.stringify(options.dialect)}; allowed: ${all}`);
  }
  if (options.symbolsEach > options.symbols) throw new Error('--symbols-each is more than --symbols');
  if (options.slow + options.stalled > options.connections) {
    throw new Error('--slow and --stalled are more than --connections');
  }
  if (options.deflating > options.connections) throw new Error('--deflating is more than --connections');
  if (options.processes > options.connections) throw new Error('--processes is more than --connections');
}

/** What connection `index` sends when it is open; undefined: nothing. */
export function subscriptionText(options: LoadOptions, index: number): string | undefined {
  if (options.subscribe === 'none') return undefined;
  if (options.subscribe === 'all') return '{"type":"subscribe","payload":{}}';
  if (options.subscribe !== 'filter' && options.subscribe !== 'random') return options.subscribe;
  const numbers = options.subscribe === 'filter' ? spread(options, index) : drawn(options, index);
  const symbols = Array.from(numbers, (number) => `${options.prefix}${number}`);
  for (let s = 0; s < options.symbolsIdle; s++) symbols.push(idleSymbol(options, index, s));
  return JSON.stringify({ type: 'subscribe', payload: { exchange: [options.exchange], symbols } });
}

/** Evenly over the symbols: as many connections have the same as there are connections for each symbol. */
function spread({ symbols, symbolsEach }: LoadOptions, index: number): number[] {
  return Array.from({ length: symbolsEach }, (_, s) => (index + 7 * s) % symbols);
}

/** By chance, so that hardly any two connections have the same; the same at each run. */
function drawn({ symbols, symbolsEach }: LoadOptions, index: number): Set<number> {
  const random = new Random(index);
  const numbers = new Set<number>();
  while (numbers.size < symbolsEach) numbers.add(random.below(symbols));
  return numbers;
}

/** Connections share some of these with their neighbours, as they do symbols that are published. */
function idleSymbol({ prefix, symbols, symbolsIdle }: LoadOptions, index: number, s: number): string {
  return `${prefix}${symbols + ((17 * index + s) % (10 * symbolsIdle))}`;
}

/** Options back as arguments, for a process to be started with. */
export function loadArguments(options: Partial<LoadOptions>): string[] {
  const args: string[] = [];
  for (const { name, key } of [...NUMBERS, ...TEXTS]) {
    const value = options[key];
    if (value !== undefined && String(value) !== '') args.push(`--${name}`, String(value));
  }
  return args;
}

/**
 * Runs benchmarks: all of them, or those named. Each prints tables and writes perf/results/NAME.json. Exit status 1 when
 * something failed that must hold on any machine; never for a time.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errorMessage } from '../src/util/errors.ts';
import type { Benchmark, BenchmarkSettings } from './lib/benchmark.ts';
import { writePages } from './lib/result-pages.ts';
import { writeResult } from './lib/results.ts';
import { GATEWAY_FILE } from './lib/server-process.ts';
import { formatTable } from './lib/table.ts';

/** Loaded when they run: one that fails to load does not keep the others from running. */
const BENCHMARKS: Record<string, () => Promise<Benchmark>> = {
  'fan-out': async () => (await import('./bench/fan-out.ts')).fanOut,
  batching: async () => (await import('./bench/batching.ts')).batching,
  latency: async () => (await import('./bench/latency.ts')).latency,
  connections: async () => (await import('./bench/connections.ts')).connections,
  'connect-storm': async () => (await import('./bench/connect-storm.ts')).connectStorm,
  'slow-consumers': async () => (await import('./bench/slow-consumers.ts')).slowConsumers,
  resume: async () => (await import('./bench/resume.ts')).resume,
  ring: async () => (await import('./bench/ring.ts')).ring,
  matching: async () => (await import('./bench/matching.ts')).matching,
  ingest: async () => (await import('./bench/ingest.ts')).ingest,
  compression: async () => (await import('./bench/compression.ts')).compression,
  compare: async () => (await import('./bench/compare.ts')).compare,
  growth: async () => (await import('./bench/growth.ts')).growth,
  conservation: async () => (await import('./bench/conservation.ts')).conservation,
};

/** Too long for a run of all, but for one in small. */
const LONG = ['compare', 'growth'];

const USAGE = [
  'use: node perf/index.ts [--smoke] [--rounds N] [--seconds N] [--floor PROGRAM] [--beside DIRECTORY]',
  '     [--recordings DIRECTORY]',
  `     [${Object.keys(BENCHMARKS).join(' | ')}]...`,
].join('\n');
const ROUNDS_MAX = 20;
const SECONDS_MAX = 600;

function readSettings(args: string[]): { names: string[]; settings: BenchmarkSettings } {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      smoke: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '1' },
      seconds: { type: 'string' },
      floor: { type: 'string' },
      beside: { type: 'string' },
      recordings: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= ROUNDS_MAX)) {
    throw new Error(`--rounds is ${JSON.stringify(values.rounds)}; allowed: 1 to ${ROUNDS_MAX}`);
  }
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
  if (seconds !== undefined && !(seconds >= 0.1 && seconds <= SECONDS_MAX)) {
    throw new Error(`--seconds is ${JSON.stringify(values.seconds)}; allowed: 0.1 to ${SECONDS_MAX}`);
  }
  const beside = values.beside === undefined ? undefined : resolve(values.beside);
  if (beside !== undefined && !existsSync(join(beside, GATEWAY_FILE))) {
    throw new Error(`--beside is ${JSON.stringify(values.beside)}; there is no ${GATEWAY_FILE} below it`);
  }
  for (const name of positionals) {
    if (!Object.hasOwn(BENCHMARKS, name)) throw new Error(`there is no benchmark ${JSON.stringify(name)}`);
  }
  const all = Object.keys(BENCHMARKS).filter((name) => values.smoke || !LONG.includes(name));
  const names = positionals.length > 0 ? positionals : all;
  const { smoke, floor, recordings } = values;
  return { names, settings: { smoke, floor, beside, rounds, seconds, recordings } };
}

/** Where something stood says nothing about a figure; what was beside is told by its commit. */
function withoutDirectory(arg: string, index: number, args: readonly string[]): string {
  for (const name of ['--beside', '--recordings']) {
    if (arg.startsWith(`${name}=`)) return `${name}=DIRECTORY`;
    if (args[index - 1] === name) return 'DIRECTORY';
  }
  return arg;
}

async function runOne(name: string, settings: BenchmarkSettings, command: string): Promise<string[]> {
  const begunMs = performance.now();
  console.log(`\n== ${name} ==`);
  const benchmark = await (BENCHMARKS[name] as () => Promise<Benchmark>)();
  const result = await benchmark(settings);
  for (const { title, rows } of result.sections) console.log(`\n${title}\n\n${formatTable(rows)}`);
  const file = writeResult(name, command, settings.smoke, result);
  if (!settings.smoke) writePages(name);
  console.log(`\n${((performance.now() - begunMs) / 1000).toFixed(1)} s, ${file.pathname}`);
  return result.problems;
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  let asked: ReturnType<typeof readSettings>;
  try {
    asked = readSettings(args);
  } catch (error) {
    console.error(`${errorMessage(error)}\n${USAGE}`);
    return 2;
  }
  const problems: string[] = [];
  for (const name of asked.names) {
    const command = ['node perf/index.ts', ...args.map(withoutDirectory)].join(' ');
    const found = await runOne(name, asked.settings, command).catch((error) => [errorMessage(error)]);
    problems.push(...found.map((problem) => `${name}: ${problem}`));
  }
  for (const problem of problems) console.error(`FAILED ${problem}`);
  return problems.length > 0 ? 1 : 0;
}

process.exit(await main());

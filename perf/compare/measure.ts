import { setTimeout as sleep } from 'node:timers/promises';
import type { HistogramSummary } from '../../src/telemetry/histogram.ts';
import { medianOf } from '../lib/figures.ts';
import { runLoad } from '../lib/load-process.ts';
import { processUsage } from '../lib/process-usage.ts';
import { type LoadReport, mergeHistograms } from '../load/load-report.ts';
import type { Account } from './accounts.ts';
import type { Contender, ContenderProcess, Market } from './contenders.ts';

/** One load of the comparison, the same for every server. */
export interface CompareLoad {
  /** For the axis of a chart. */
  name: string;
  market: Market;
  connections: number;
  /** Of the market's symbols; 0: everything. */
  symbolsEach: number;
  warmupS: number;
  seconds: number;
  sampleEvery: number;
}

/** What came of a load on a server, over all rounds. Counts and times are those of the measured time. */
export interface Compared {
  server: string;
  rounds: number;
  seconds: number;
  asked: number;
  /** In the round in which the fewest opened. */
  opened: number;
  /** Publications that were due, and that the server made. */
  due: number;
  published: number;
  /** What those who were there should have got of the published ones, and what became of it. */
  owed: number;
  delivered: number;
  merged: number;
  dropped: number;
  /**
   * What was published for them and had not arrived, when the measured time begins and ends: in queues of the server and
   * of the kernel. From the `seq` that each connection had got to, so of servers that drop nothing.
   */
  queuedBefore: number;
  queuedAfter: number;
  bytesPerDelivery: number;
  latencyUs: HistogramSummary;
  cpuS: number;
  /** Before the first connection, and at the end of the measured time; medians of the rounds. */
  startMib: number;
  loadedMib: number;
  closed: number;
  orderErrors: number;
  protocolErrors: number;
  /** The highest of the rounds. */
  generatorCores: number;
  generatorLoop: number;
  generatorDelayMaxMs: number;
  saturated: boolean;
}

export interface IdleMemory {
  server: string;
  opened: number;
  startMib: number;
  openMib: number;
}

/** So long a server that cannot let everybody in is given; then those that are in count. */
const CONNECT_TIMEOUT_S = 8;
const SETTLE_MS = 500;

export interface Round {
  report: LoadReport;
  account: Account;
  startMib: number;
}

export async function measureRound(contender: Contender, load: CompareLoad): Promise<Round> {
  const server = await contender.start(load.market);
  try {
    const startMib = await restingMib(server);
    const keeper = server.keepAccount();
    const { connections, symbolsEach, market, warmupS, seconds, sampleEvery } = load;
    const options = {
      ...contender.load(connections),
      ...(symbolsEach === 0 ? { subscribe: 'all' } : { subscribe: 'filter', symbols: market.symbols, symbolsEach }),
      ...{ connections, warmupS, seconds, sampleEvery, connectTimeoutS: CONNECT_TIMEOUT_S, buckets: 1 },
      ...{ port: server.port, pids: [server.pid] },
    };
    const report = await runLoad(options, { onStart: () => keeper.begin(), onEnd: () => keeper.end() });
    return { report, account: await keeper.account(), startMib };
  } finally {
    await server.stop();
  }
}

/** Memory of connections that have subscribed to everything, of which there is nothing. */
export async function measureIdle(contender: Contender, connections: number, holdS: number): Promise<IdleMemory> {
  const server = await contender.start({ symbols: 1, rate: 0, payloadBytes: 0 });
  try {
    const startMib = await restingMib(server);
    const times = { warmupS: holdS / 2, seconds: holdS / 2 };
    const load = { ...contender.load(connections), ...times, connections, subscribe: 'all' };
    const report = await runLoad({ ...load, port: server.port, pids: [server.pid] });
    return { server: contender.name, opened: report.opened, startMib, openMib: report.server?.residentMib ?? 0 };
  } finally {
    await server.stop();
  }
}

async function restingMib({ pid }: ContenderProcess): Promise<number> {
  await sleep(SETTLE_MS);
  return processUsage([pid]).residentMib;
}

/** Counts add up, percentiles are those of all samples together. */
export function mergeRounds(server: string, load: CompareLoad, rounds: readonly Round[]): Compared {
  const { market, connections, symbolsEach } = load;
  const share = symbolsEach === 0 ? 1 : symbolsEach / market.symbols;
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const most = (of: (round: Round) => number) => Math.max(...rounds.map(of));
  const seconds = sum(({ report }) => report.seconds);
  const delivered = sum(({ report }) => report.deliveries);
  return {
    server,
    rounds: rounds.length,
    seconds,
    asked: connections,
    opened: Math.min(...rounds.map(({ report }) => report.opened)),
    due: market.rate * seconds,
    published: sum(({ account }) => account.published),
    owed: sum(({ report, account }) => account.published * report.opened * share),
    delivered,
    queuedBefore: sum((round) => queued(round, share, load.sampleEvery, 'begin')),
    queuedAfter: sum((round) => queued(round, share, load.sampleEvery, 'end')),
    merged: sum(({ account }) => account.merged),
    dropped: sum(({ account }) => account.dropped),
    bytesPerDelivery: delivered > 0 ? sum(({ report }) => report.bytesPerDelivery * report.deliveries) / delivered : 0,
    latencyUs: mergeHistograms(rounds.flatMap(({ report }) => report.latency ?? [])),
    cpuS: sum(({ report }) => report.server?.cpuS ?? 0),
    startMib: medianOf(rounds.map(({ startMib }) => startMib)),
    loadedMib: medianOf(rounds.map(({ report }) => report.server?.residentMib ?? 0)),
    closed: sum(({ report }) => report.closed),
    orderErrors: sum(({ report }) => report.orderErrors),
    protocolErrors: sum(({ report }) => report.protocolErrors),
    generatorCores: most(({ report }) => report.generator.cores),
    generatorLoop: most(({ report }) => report.generator.loopUtilization),
    generatorDelayMaxMs: most(({ report }) => report.generator.loopDelayMaxMs),
    saturated: rounds.some(({ report }) => report.generator.saturated),
  };
}

/**
 * Of a connection only every n-th message is looked at: on average it is half of that further; and half of what has been
 * published since its last one it did not want.
 */
function queued({ report, account }: Round, share: number, sampleEvery: number, at: 'begin' | 'end'): number {
  const published = account.publishedBefore + (at === 'end' ? account.published : 0);
  const each = (published - report.sequence[at]) * share - (sampleEvery - share) / 2;
  return Math.max(0, each) * report.opened;
}

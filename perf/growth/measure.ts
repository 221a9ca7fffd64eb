import { setTimeout as sleep } from 'node:timers/promises';
import { medianOf } from '../lib/figures.ts';
import { freePort } from '../lib/free-port.ts';
import { metricTotal, readApi } from '../lib/gateway-metrics.ts';
import { runLoad } from '../lib/load-process.ts';
import { processUsage } from '../lib/process-usage.ts';
import { startGateway } from '../lib/server-process.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';
import { type LoadReport, mergeHistograms } from '../load/load-report.ts';
import type { GrowthPoint } from './axes.ts';

/** What was measured at a point, over all rounds; per second of the measured time. */
export interface GrowthFigures {
  point: GrowthPoint;
  opened: number;
  publications: number;
  writes: number;
  deliveries: number;
  bytes: number;
  /** CPU of the whole gateway, in cores. */
  cores: number;
  p50Us: number;
  p99Us: number;
  /** Before the first connection, and at the end. */
  startMib: number;
  residentMib: number;
  dropped: number;
  orderErrors: number;
  closed: number;
  generatorLoop: number;
  saturated: boolean;
}

export interface GrowthRound {
  report: LoadReport;
  gained: Counters;
  startMib: number;
}

interface Counters {
  publications: number;
  writes: number;
  dropped: number;
}

const TOPICS_SPARE = 1_000;
const SETTLE_MS = 300;
const CONNECT_TIMEOUT_S = 40;
/** As clients should that want a part: without it each has everything for a moment. */
const PATH = '/ws?subscription=none';

/** Runs a gateway and its load once. */
export async function measurePoint(point: GrowthPoint, seconds: number): Promise<GrowthRound> {
  const adminPort = await freePort();
  const server = await startGateway(gatewayOptions(point, adminPort));
  try {
    await sleep(SETTLE_MS);
    const startMib = processUsage([server.pid]).residentMib;
    const notes: Promise<Counters>[] = [];
    const note = () => void notes.push(readApi(adminPort, 'metrics').then(countersOf));
    const { connections, symbolsEach, symbolsIdle, symbols, isRandom, warmupS } = point;
    const which = { subscribe: isRandom ? 'random' : 'filter', symbols, symbolsEach, symbolsIdle };
    const subscription = symbolsEach === 0 ? { subscribe: 'all' } : which;
    const report = await runLoad(
      {
        ...{ ...subscription, connections, warmupS, seconds, buckets: 1, sampleEvery: 4 },
        ...(symbolsEach === 0 ? {} : { path: PATH }),
        ...{ port: server.port, pids: [server.pid], connectTimeoutS: CONNECT_TIMEOUT_S },
      },
      { onStart: note, onEnd: note },
    );
    const [before, after] = await Promise.all(notes);
    if (before === undefined || after === undefined) throw new Error('the measured time has not begun and ended');
    return { report, gained: difference(after, before), startMib };
  } finally {
    await server.stop();
  }
}

function gatewayOptions(point: GrowthPoint, adminPort: number): Record<string, string | number> {
  const { symbols, rate, payloadBytes, types, shards } = point;
  return {
    ...simulatorOptions(symbols, rate, payloadBytes),
    'source.simulator.types': types,
    shards,
    'admin.port': adminPort,
    'limits.connections': 0,
    'ring.topics': symbols * types.split(',').length + TOPICS_SPARE,
  };
}

function countersOf(text: string): Counters {
  const total = (name: string) => metricTotal(text, `tickcast_${name}`);
  return {
    publications: total('publications_total'),
    writes: total('socket_writes_total'),
    dropped: total('messages_dropped_total'),
  };
}

function difference(after: Counters, before: Counters): Counters {
  return {
    publications: after.publications - before.publications,
    writes: after.writes - before.writes,
    dropped: after.dropped - before.dropped,
  };
}

/** Counts add up; percentiles are those of all samples together. */
export function mergeGrowth(point: GrowthPoint, rounds: readonly GrowthRound[]): GrowthFigures {
  const sum = (of: (round: GrowthRound) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const seconds = sum(({ report }) => report.seconds);
  const rate = (of: (round: GrowthRound) => number) => sum(of) / seconds;
  const latency = mergeHistograms(rounds.flatMap(({ report }) => report.latency ?? []));
  return {
    point,
    opened: Math.min(...rounds.map(({ report }) => report.opened)),
    publications: rate(({ gained }) => gained.publications),
    writes: rate(({ gained }) => gained.writes),
    deliveries: rate(({ report }) => report.deliveries),
    bytes: rate(({ report }) => report.deliveries * report.bytesPerDelivery),
    cores: rate(({ report }) => report.server?.cpuS ?? 0),
    p50Us: latency.p50,
    p99Us: latency.p99,
    startMib: medianOf(rounds.map(({ startMib }) => startMib)),
    residentMib: medianOf(rounds.map(({ report }) => report.server?.residentMib ?? 0)),
    dropped: sum(({ gained }) => gained.dropped),
    orderErrors: sum(({ report }) => report.orderErrors),
    closed: sum(({ report }) => report.closed),
    generatorLoop: Math.max(...rounds.map(({ report }) => report.generator.loopUtilization)),
    saturated: rounds.some(({ report }) => report.generator.saturated),
  };
}

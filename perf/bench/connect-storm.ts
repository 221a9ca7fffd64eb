/**
 * A connect storm: many clients open connections beside readers of a steady load, over ten seconds, and as fast as they can.
 * What the readers feel: their latency during over before.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchmarkResult, BenchmarkSettings } from '../lib/benchmark.ts';
import { msOf, ratioOf, round } from '../lib/figures.ts';
import { runLoad } from '../lib/load-process.ts';
import { processUsage } from '../lib/process-usage.ts';
import { roundRows } from '../lib/round-rows.ts';
import { startGateway } from '../lib/server-process.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';
import { latencyBetween, type TimelineInterval } from '../load/latency-timeline.ts';
import type { LoadReport } from '../load/load-report.ts';

const PAYLOAD_BYTES = 200;
const INTERVAL_MS = 100;
const SYMBOLS = 100;
const SYMBOLS_EACH = 10;

/** They stand for clients on other machines, which would not take CPU time from the gateway. */
const NICENESS = 10;
/** Until the gateway has compiled what it runs all the time, and collected what its start has left. */
const WARMUP_S = 4;

interface Sizes {
  readers: number;
  /** Publications a second, over all symbols. */
  rate: number;
  /** How long the readers are alone, before and behind. */
  aloneS: number;
  clients: number;
  /** Over how many seconds they come; the second storm has no such time. */
  overS: number;
}

interface Measured {
  storm: string;
  readers: LoadReport;
  clients: LoadReport;
  beginMs: number;
  /** All were open. */
  openMs: number;
  /** CPU time of the gateway, for each second alone, and while they came. */
  aloneCores: number;
  stormCpuS: number;
}

export async function connectStorm(settings: BenchmarkSettings): Promise<BenchmarkResult> {
  const sizes = settings.smoke
    ? { readers: 20, rate: 500, aloneS: 1, clients: 200, overS: 1 }
    : { readers: 200, rate: 2_000, aloneS: 5, clients: 10_000, overS: 10 };
  const storms = [
    { storm: `over ${sizes.overS} s`, connectRate: sizes.clients / sizes.overS },
    { storm: 'as fast as they can', connectRate: 100_000 },
  ];
  const measured: Measured[] = [];
  for (let round = 0; round < settings.rounds; round++) {
    for (const { storm, connectRate } of storms) measured.push(await measure(storm, connectRate, sizes));
  }
  const { clients, readers, rate } = sizes;
  const title = `${clients} connections are opened beside ${readers} readers of ${SYMBOLS_EACH} of ${SYMBOLS} topics; ${rate} messages/s`;
  const rows = storms.flatMap(({ storm }) => {
    const figures = measured.filter((one) => one.storm === storm).map(figuresOf);
    return roundRows(figures, { storm });
  });
  return { sections: [{ title, rows }], details: measured, problems: measured.flatMap(problemsOf) };
}

async function measure(storm: string, connectRate: number, sizes: Sizes): Promise<Measured> {
  const { readers, rate, aloneS, clients, overS } = sizes;
  const options = { ...simulatorOptions(SYMBOLS, rate, PAYLOAD_BYTES), shards: 1, 'limits.connections': 0 };
  const { port, pid, stop } = await startGateway(options);
  try {
    const under = Promise.withResolvers<Omit<Measured, 'storm' | 'readers'>>();
    const load = { port, connections: readers, subscribe: 'filter', symbols: SYMBOLS, symbolsEach: SYMBOLS_EACH };
    const seconds = 2 * aloneS + 1.5 * overS;
    const [readersReport, rest] = await Promise.all([
      runLoad(
        { ...load, pids: [pid], warmupS: WARMUP_S, seconds, sampleEvery: 1, intervalMs: INTERVAL_MS },
        { onStart: () => under.resolve(comeDown(port, pid, connectRate, clients, aloneS)) },
      ).finally(() => under.reject(new Error('the readers have not begun'))),
      under.promise,
    ]);
    return { storm, readers: readersReport, ...rest };
  } finally {
    await stop();
  }
}

/** Leaves the readers alone for a while, then opens connections, and holds them until the readers have been alone again. */
async function comeDown(port: number, pid: number, connectRate: number, clients: number, aloneS: number) {
  const cpuS = () => processUsage([pid]).cpuSeconds;
  const firstS = cpuS();
  await sleep(aloneS * 1000);
  const beginS = cpuS();
  const beginMs = Date.now();
  const open = { ms: 0, cpuS: 0 };
  const path = '/ws?subscription=none';
  const report = await runLoad(
    {
      port,
      connections: clients,
      connectRate,
      path,
      subscribe: 'none',
      warmupS: 0,
      seconds: aloneS,
      niceness: NICENESS,
    },
    { onStart: () => Object.assign(open, { ms: Date.now(), cpuS: cpuS() }) },
  );
  const aloneCores = (beginS - firstS) / aloneS;
  return { clients: report, beginMs, openMs: open.ms, aloneCores, stormCpuS: open.cpuS - beginS };
}

function figuresOf({ readers, clients, beginMs, openMs, aloneCores, stormCpuS }: Measured): Record<string, number> {
  const timeline = readers.timeline ?? [];
  // The first and the last interval of a stretch are also others'.
  const before = latencyOf(timeline, 0, beginMs - INTERVAL_MS);
  const during = latencyOf(timeline, openMs - clients.connectMs, openMs);
  const after = latencyOf(timeline, openMs + INTERVAL_MS, openMs + clients.seconds * 1000 - INTERVAL_MS);
  const handshakesS = stormCpuS - (aloneCores * (openMs - beginMs)) / 1000;
  return {
    opened: clients.opened,
    'all open in ms': clients.connectMs,
    'connect p50 ms': msOf(clients.connectUs.p50),
    'connect p99 ms': msOf(clients.connectUs.p99),
    'CPU µs/handshake': round((1e6 * handshakesS) / Math.max(1, clients.opened), 1),
    'readers p50 before': msOf(before.p50),
    'p50 during': msOf(during.p50),
    'p99 before': msOf(before.p99),
    'p99 during': msOf(during.p99),
    'p99 after': msOf(after.p99),
    '× p99': ratioOf(during.p99, before.p99),
    'max during': msOf(during.max),
  };
}

function latencyOf(timeline: readonly TimelineInterval[], fromMs: number, toMs: number) {
  return latencyBetween(timeline, INTERVAL_MS, fromMs, toMs).summary();
}

function problemsOf({ storm, readers, clients, openMs }: Measured): string[] {
  const problems: string[] = [];
  const check = (holds: boolean, problem: string) => {
    if (!holds) problems.push(`${storm}: ${problem}`);
  };
  check(readers.opened === readers.asked, `opened ${readers.opened} of ${readers.asked} readers`);
  check(readers.closed === 0, `${readers.closed} readers were closed: ${JSON.stringify(readers.closeCodes)}`);
  check(readers.orderErrors === 0, `${readers.orderErrors} messages of readers out of order`);
  check(readers.gaps === 0, `readers were told of ${readers.gaps} gaps`);
  check(
    clients.opened === clients.asked,
    `opened ${clients.opened} of ${clients.asked}: ${JSON.stringify(clients.failures)}`,
  );
  check(
    (readers.timeline?.at(-1)?.atMs ?? 0) >= openMs,
    'the readers were no longer measured when the last had opened',
  );
  return problems;
}

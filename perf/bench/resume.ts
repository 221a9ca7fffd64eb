/**
 * A resume storm: many clients come back at once and want what they missed, beside readers that never left. The same
 * storm without resumes shows what the coming back alone costs.
 */
import type { BenchmarkResult, BenchmarkSettings } from '../lib/benchmark.ts';
import { msOf, ratioOf } from '../lib/figures.ts';
import { runForReport, runLoad } from '../lib/load-process.ts';
import { roundRows } from '../lib/round-rows.ts';
import { startGateway } from '../lib/server-process.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';
import { latencyBetween, type TimelineInterval } from '../load/latency-timeline.ts';
import type { LoadReport } from '../load/load-report.ts';
import type { StormReport } from '../storm/storm.ts';
import { type StormOptions, stormArguments } from '../storm/storm-options.ts';

const STORM_FILE = 'perf/storm/main.ts';
const PAYLOAD_BYTES = 200;
const INTERVAL_MS = 100;
const KINDS = ['reconnect', 'resume'] as const;

interface Sizes {
  readers: number;
  /** Publications per second, over 100 symbols, of which everybody has ten. */
  rate: number;
  /** How long the readers are measured: the whole storm has to fit in. */
  seconds: number;
  storm: Omit<StormOptions, 'port' | 'resumes'>;
}

interface Measured {
  kind: (typeof KINDS)[number];
  readers: LoadReport;
  storm: StormReport;
}

export async function resume(settings: BenchmarkSettings): Promise<BenchmarkResult> {
  const sizes = sizesOf(settings.smoke);
  const measured: Measured[] = [];
  for (let round = 0; round < settings.rounds; round++) {
    const kinds = round % 2 === 0 ? KINDS : KINDS.toReversed();
    for (const kind of kinds) measured.push(await measure(kind, sizes));
  }
  const { clients, awayMs } = sizes.storm;
  const title = `${clients} clients come back at once after ${awayMs} ms, beside ${sizes.readers} readers; ${sizes.rate} messages/s`;
  const figures = (kind: Measured['kind']) => measured.filter((one) => one.kind === kind).map(figuresOf);
  const rows = KINDS.flatMap((kind) => roundRows(figures(kind), { storm: kind }));
  return { sections: [{ title, rows }], details: measured, problems: measured.flatMap(problemsOf) };
}

function sizesOf(smoke: boolean): Sizes {
  const symbols = { symbols: 100, symbolsEach: 10 };
  if (smoke) {
    const storm = { ...symbols, clients: 50, beforeS: 0.5, awayMs: 400, timeoutS: 5, afterS: 0.2 };
    return { readers: 10, rate: 500, seconds: 3.5, storm };
  }
  const storm = { ...symbols, clients: 1_000, beforeS: 5, awayMs: 2_000, timeoutS: 20, afterS: 1 };
  return { readers: 100, rate: 1_000, seconds: 20, storm };
}

async function measure(kind: Measured['kind'], { readers, rate, seconds, storm }: Sizes): Promise<Measured> {
  const { symbols, symbolsEach } = storm;
  const { port, pid, stop } = await startGateway({ ...simulatorOptions(symbols, rate, PAYLOAD_BYTES), shards: 1 });
  const args = stormArguments({ ...storm, port, resumes: kind === 'resume' ? 1 : 0 });
  const load = { port, pids: [pid], connections: readers, subscribe: 'filter', symbols, symbolsEach, seconds };
  const under = Promise.withResolvers<unknown>();
  try {
    const [readersReport, stormReport] = await Promise.all([
      runLoad(
        { ...load, warmupS: 1, sampleEvery: 1, intervalMs: INTERVAL_MS },
        { onStart: () => under.resolve(runForReport(STORM_FILE, args)) },
      ).finally(() => under.reject(new Error('the readers have not begun'))),
      under.promise,
    ]);
    return { kind, readers: readersReport, storm: stormReport as StormReport };
  } finally {
    await stop();
  }
}

function figuresOf({ readers, storm }: Measured): Record<string, number> {
  const timeline = readers.timeline ?? [];
  const before = latencyOf(timeline, storm.steadyFromMs, storm.leftMs);
  const during = latencyOf(timeline, storm.rejoinedMs, storm.caughtUpMs);
  return {
    'caught up': storm.caughtUp,
    resumed: storm.resumed,
    replayed: storm.replayed,
    'reply p50 ms': msOf(storm.subscribedUs.p50),
    'caught up p50 ms': msOf(storm.caughtUpUs.p50),
    'p99 ms': msOf(storm.caughtUpUs.p99),
    'last ms': msOf(storm.caughtUpUs.max),
    'readers p50 before': msOf(before.p50),
    'p50 during': msOf(during.p50),
    'p99 before': msOf(before.p99),
    'p99 during': msOf(during.p99),
    '× p99': ratioOf(during.p99, before.p99),
    'max during': msOf(during.max),
    'RSS MiB': readers.server?.residentMib ?? 0,
  };
}

function latencyOf(timeline: readonly TimelineInterval[], fromMs: number, toMs: number) {
  return latencyBetween(timeline, INTERVAL_MS, fromMs, toMs).summary();
}

function problemsOf({ kind, readers, storm }: Measured): string[] {
  const problems: string[] = [];
  const check = (holds: boolean, problem: string) => {
    if (!holds) problems.push(`${kind}: ${problem}`);
  };
  const { clients, failures } = storm;
  check(readers.opened === readers.asked, `opened ${readers.opened} of ${readers.asked} readers`);
  check(readers.closed === 0, `${readers.closed} readers were closed: ${JSON.stringify(readers.closeCodes)}`);
  check(readers.orderErrors === 0, `${readers.orderErrors} messages of readers out of order`);
  check(storm.joined === clients, `${storm.joined} of ${clients} joined: ${JSON.stringify(failures)}`);
  check(storm.rejoined === clients, `${storm.rejoined} of ${clients} came back: ${JSON.stringify(failures)}`);
  check(storm.caughtUp === clients, `${storm.caughtUp} of ${clients} caught up: ${JSON.stringify(failures)}`);
  const lastMs = readers.timeline?.at(-1)?.atMs ?? 0;
  check(lastMs >= storm.caughtUpMs - INTERVAL_MS, 'the readers were no longer measured when the last had caught up');
  if (kind === 'reconnect') return problems;
  check(storm.resumed === clients, `${storm.resumed} of ${clients} resumed: ${JSON.stringify(storm.refusals)}`);
  check(storm.replayed > 0, 'nothing was replayed');
  check(storm.missing === 0, `${storm.missing} frames missing`);
  check(storm.repeated === 0, `${storm.repeated} frames came again`);
  return problems;
}

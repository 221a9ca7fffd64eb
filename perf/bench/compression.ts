/**
 * Compression: to how much of their size the frames of recordings come, for how much time; and what it does to the CPU of
 * a delivery where a thousand clients share a stream.
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BatchBuffers } from '../../src/batch/batch-buffers.ts';
import { CohortStream } from '../../src/compression/cohort-stream.ts';
import { Cohort } from '../../src/subscription/cohort.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import type { BenchmarkResult, BenchmarkSettings } from '../lib/benchmark.ts';
import { type Delivery, deliveryProblems, deliveryRows, measureDelivery } from '../lib/delivery.ts';
import { medianOf, msOf, ratioOf } from '../lib/figures.ts';
import { PROJECT_DIRECTORY } from '../lib/project-directory.ts';
import { recordedFrames } from '../lib/recorded-frames.ts';
import { startGateway } from '../lib/server-process.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';
import type { Row } from '../lib/table.ts';

const DEFAULT_LEVEL = 4;
const LEVELS = [1, 3, DEFAULT_LEVEL, 6, 9];
const WINDOW_BITS = [15, 12, 9];
const FRAME_BYTES_MIN = 64;
/** Clients that do not deflate: latency is read off their frames, in both modes. */
const PLAIN_CLIENTS = 10;
const PAYLOAD_BYTES = 250;
const MODES = ['off', 'shared'] as const;
/** How a shard gathers: what is written less often costs less, so the modes are compared within each. */
const BATCHES = {
  adaptive: { 'batch.mode': 'adaptive' },
  'fixed 10 ms': { 'batch.mode': 'fixed', 'batch.maxDelayMs': 10 },
};

export async function compression(settings: BenchmarkSettings): Promise<BenchmarkResult> {
  const sizes = await measureSizes(settings);
  const batches: { name: string; rounds: Delivery[][] }[] = [];
  for (const [name, batch] of Object.entries(BATCHES)) {
    batches.push({ name, rounds: await measureRounds(settings, name, batch) });
  }
  const last = batches.flatMap(({ rounds }) => rounds.at(-1) as Delivery[]);
  const clients = last[0]!.report.asked;
  return {
    sections: [
      { title: 'Frames of recordings, one after the other through one stream', rows: sizes.rows },
      {
        title: `${clients} clients in one cohort, all but ${PLAIN_CLIENTS} deflating, ${rateOf(settings)} messages/s`,
        rows: deliveryRows(last, clients * rateOf(settings)),
      },
      {
        title: `shared over off, the middle one of ${settings.rounds} ratios of one round each`,
        rows: batches.map(({ name, rounds }) => ({ batch: name, ...ratios(rounds) })),
      },
    ],
    details: { sizes: sizes.rows, batches },
    problems: [...sizes.problems, ...batches.flatMap(({ rounds }) => rounds.flat().flatMap(deliveryProblems))],
  };
}

async function measureSizes({ smoke, recordings }: BenchmarkSettings): Promise<{ rows: Row[]; problems: string[] }> {
  const rows: Row[] = [];
  const problems: string[] = [];
  for (const file of recordingsIn(recordings)) {
    const frames = await recordedFrames(file);
    const name = basename(file, '.ws');
    const variants = smoke ? [[DEFAULT_LEVEL, 15] as const] : variantsOf();
    for (const [level, windowBits] of variants)
      rows.push({ recording: name, ...compressAll(frames, level, windowBits) });
    if (frames.length === 0) problems.push(`${name}: no frames`);
  }
  if (rows.length === 0) problems.push('there is no recording');
  return { rows, problems };
}

function variantsOf(): (readonly [level: number, windowBits: number])[] {
  return [
    ...LEVELS.map((level) => [level, 15] as const),
    ...WINDOW_BITS.slice(1).map((bits) => [DEFAULT_LEVEL, bits] as const),
  ];
}

function recordingsIn(directory = join(PROJECT_DIRECTORY, 'test/support/recordings')): string[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.ws') && name !== 'cut.ws');
  return names.sort().map((name) => join(directory, name));
}

/** Each frame a batch of its own, as on an idle shard: the dearest case. */
function compressAll(frames: readonly Buffer[], level: number, windowBits: number): Row {
  const statistics = new StatisticsBlock(StatisticsBlock.allocate());
  const buffers = new BatchBuffers(1024 * 1024);
  const stream = new CohortStream({ level, frameBytesMin: FRAME_BYTES_MIN, statistics }, new Cohort(''), windowBits, 0);
  let plainBytes = 0;
  let bytes = 0;
  const begunMs = performance.now();
  for (const frame of frames) {
    stream.follow({ bytes: frame, ends: [frame.length], messages: 1 }, buffers);
    plainBytes += frame.length;
    bytes += stream.length;
    stream.finish(buffers);
  }
  const tookMs = performance.now() - begunMs;
  stream.close();
  return {
    level,
    'window bits': windowBits,
    frames: frames.length,
    'bytes plain': Math.round(plainBytes / frames.length),
    'bytes compressed': Math.round(bytes / frames.length),
    '% of plain': Number(((100 * bytes) / plainBytes).toFixed(1)),
    'µs/frame': Number(((1000 * tookMs) / frames.length).toFixed(1)),
  };
}

function rateOf({ smoke }: BenchmarkSettings): number {
  return smoke ? 100 : 300;
}

type Options = Record<string, string | number>;

/** The modes take turns, and which of them comes first alternates. */
async function measureRounds(settings: BenchmarkSettings, name: string, batch: Options): Promise<Delivery[][]> {
  const connections = settings.smoke ? 50 : 1_000;
  const times = settings.smoke ? { warmupS: 0.2, seconds: 0.5 } : { warmupS: 3, seconds: 6 };
  const load = { ...times, connections, subscribe: 'all', deflating: connections - PLAIN_CLIENTS };
  const simulator = simulatorOptions(1, rateOf(settings), PAYLOAD_BYTES);
  const measure = (mode: string) => {
    const options = { ...simulator, shards: 1, ...batch, 'compression.mode': mode };
    return measureDelivery(`${mode}, ${name}`, () => startGateway(options), load);
  };
  const rounds: Delivery[][] = [];
  for (let round = 0; round < settings.rounds; round++) {
    const isReversed = round % 2 === 1;
    const both: Delivery[] = [];
    for (const mode of isReversed ? MODES.toReversed() : MODES) both.push(await measure(mode));
    rounds.push(isReversed ? both.reverse() : both);
  }
  return rounds;
}

function ratios(rounds: readonly Delivery[][]): Row {
  const each = (of: (delivery: Delivery) => number) => rounds.map(([off, shared]) => ratioOf(of(shared!), of(off!)));
  const cpu = each(({ report }) => report.server?.cpuUsPerDelivery ?? 0);
  return {
    'CPU/delivery': medianOf(cpu),
    'least of rounds': Math.min(...cpu),
    'most of rounds': Math.max(...cpu),
    'bytes/delivery': medianOf(each(({ report }) => report.bytesPerDelivery)),
    p50: medianOf(each(({ report }) => msOf(report.latencyUs.p50))),
    p99: medianOf(each(({ report }) => msOf(report.latencyUs.p99))),
    RSS: medianOf(each(({ report }) => report.server?.residentMib ?? 0)),
  };
}

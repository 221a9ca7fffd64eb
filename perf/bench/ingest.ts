/**
 * Ingest: how many publications a second the primary takes from a source to the ring, in one thread without clients, and
 * what the whole process makes of a simulator that asks for more than that. Compared with what a plain server does for
 * each publication before it sends anything.
 */
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataFlowManager } from '../../src/dataflow/data-flow-manager.ts';
import { hoistedFields } from '../../src/dataflow/hoist.ts';
import { putHoisted } from '../../src/dataflow/hoisted-text.ts';
import { ProxyWebSocketOutputChannel } from '../../src/dataflow/proxy-websocket-output-channel.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { policyOf } from '../../src/delivery/delivery-policy.ts';
import { FramePublisher } from '../../src/frame/frame-publisher.ts';
import { TopicRegistry } from '../../src/frame/topic-registry.ts';
import { allocateRing } from '../../src/ring/layout.ts';
import { allocateSequenceIndex, SequenceIndexWriter } from '../../src/ring/sequence-index.ts';
import { allocateTopicDirectory, TopicDirectoryWriter } from '../../src/ring/topic-directory.ts';
import { Transmitter } from '../../src/ring/transmitter.ts';
import { WakeUpSender } from '../../src/ring/wake-up.ts';
import { NdjsonFeeder } from '../../src/source/ndjson-feeder.ts';
import { nowUs } from '../../src/util/clock.ts';
import type { BenchmarkResult, BenchmarkSettings } from '../lib/benchmark.ts';
import { processUsage } from '../lib/process-usage.ts';
import { startGateway } from '../lib/server-process.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';
import { type Timing, timeCalls } from '../lib/stopwatch.ts';
import type { Row } from '../lib/table.ts';

const PUBLICATION_BYTES = 300;
const SYMBOLS = 100;
const RING_BYTES = 64 * 1024 * 1024;
/** Levels on each side of a book, and those that one update names. */
const BOOK_LEVELS = 1_000;
const UPDATE_LEVELS = 4;
const CONFLATION = { latest: ['ticker', 'kline'], book: ['depth'] };

export async function ingest({ smoke }: BenchmarkSettings): Promise<BenchmarkResult> {
  const seconds = smoke ? 0.2 : 3;
  const trades = timeWays(seconds, createPublication);
  const depths = timeWays(seconds, createDepth);
  const lines = timeLines(seconds);
  const gateway = await measureGateway(smoke ? 5_000 : 300_000, smoke ? 0.5 : 5);
  const depthBytes = JSON.stringify(createDepth(SYMBOLS)).length;
  return {
    sections: [
      { title: `Trades of ${PUBLICATION_BYTES} bytes, one thread`, rows: rowsOf(trades) },
      { title: `Updates of order books, ${depthBytes} bytes, one thread`, rows: rowsOf(depths) },
      {
        title: `Lines of trades of ${PUBLICATION_BYTES} bytes, from the pieces of a stream to the ring, one thread`,
        rows: lines.rows,
      },
      { title: 'The gateway and its simulator, no clients', rows: [gateway.row] },
    ],
    details: { trades, depths, lines, gateway },
    problems: [...trades.problems, ...depths.problems, ...lines.problems, ...gateway.problems],
  };
}

interface Ways {
  objects: Timing;
  plain: Timing;
  stages: Timing;
  problems: string[];
}

function timeWays(seconds: number, create: (n: number) => Publication): Ways {
  const objects = timeCalls(seconds, (n) => create(n));
  const plain = timeCalls(seconds, (n) => frameOf(create(n), n));
  const { timing, problems } = timeStages(seconds, create);
  return { objects, plain, stages: timing, problems };
}

function rowsOf({ objects, plain, stages }: Ways): Row[] {
  return [
    rowOf('the objects alone', objects, plain),
    rowOf('plain: JSON and bytes', plain, plain),
    rowOf('DataFlow, frame, ring', stages, plain),
  ];
}

function rowOf(what: string, measured: Timing, plain: Timing): Row {
  return {
    what,
    'publications/s': measured.perSecond,
    'µs each': Number((measured.nsEach / 1000).toFixed(3)),
    '× plain': Number((measured.perSecond / plain.perSecond).toFixed(2)),
  };
}

const symbols = Array.from({ length: SYMBOLS }, (_, index) => `SYM${index}`);
const pad = '.'.repeat(
  PUBLICATION_BYTES - JSON.stringify(publicationWith('', 1_000_000, 1_764_000_000_000_000, 1_764_000_000_000)).length,
);

function createPublication(n: number): Publication {
  const dueUs = nowUs();
  return publicationWith(pad, n, dueUs, Math.floor(dueUs / 1000));
}

function publicationWith(padding: string, n: number, ts: number, timestamp: number): Publication {
  const price = 50_000 + (n % 1_000) / 100;
  const side = n % 2 === 0 ? 'buy' : 'sell';
  const data = { ts, id: String(n), price, quantity: 1.5, side, timestamp, pad: padding };
  return { type: 'trade', exchange: 'binance', symbol: symbols[n % SYMBOLS] as string, timestamp, data };
}

/** The first of each symbol is its whole book; those that follow change some levels next to each other, and remove some. */
function createDepth(n: number): Publication {
  const dueUs = nowUs();
  const isSnapshot = n < SYMBOLS;
  const count = isSnapshot ? BOOK_LEVELS : UPDATE_LEVELS;
  const from = isSnapshot ? 0 : (n * 7) % BOOK_LEVELS;
  const bids: string[][] = [];
  const asks: string[][] = [];
  for (let i = 0; i < count; i++) {
    const level = (from + i) % BOOK_LEVELS;
    const size = !isSnapshot && (n + i) % 8 === 0 ? '0' : '1.25000000';
    bids.push([(50_000 - level / 100).toFixed(2), size]);
    asks.push([(50_001 + level / 100).toFixed(2), size]);
  }
  const timestamp = Math.floor(dueUs / 1000);
  const data = { ts: dueUs, isSnapshot, updateId: n, bids, asks };
  return { type: 'depth', exchange: 'binance', symbol: symbols[n % SYMBOLS] as string, timestamp, data };
}

/** What a plain server makes of a publication: one text, one buffer. */
function frameOf(payload: Publication, seq: number): Buffer {
  const message = { type: payload.type, payload, timestamp: Date.now(), seq, prevSeq: 0 };
  return Buffer.from(JSON.stringify(message));
}

/** DataFlowManager → ProxyWebSocketOutputChannel → FramePublisher → Transmitter, as the gateway wires them. */
function createStages() {
  const ring = allocateRing(RING_BYTES);
  const directory = new TopicDirectoryWriter(allocateTopicDirectory(SYMBOLS * 2));
  const wakeUp = new WakeUpSender(ring);
  const publisher = new FramePublisher({
    registry: new TopicRegistry(directory, (dataType) => policyOf(dataType, CONFLATION)),
    directory,
    index: new SequenceIndexWriter(allocateSequenceIndex(ring.capacity)),
    transmitter: new Transmitter(ring),
    hoistedFields,
    putHoisted,
    published: () => wakeUp.wake(undefined),
    payloadBytesMax: 0,
  });
  const dataFlow = new DataFlowManager();
  dataFlow.registerChannel(new ProxyWebSocketOutputChannel(publisher));
  void dataFlow.start();
  return { dataFlow, publisher };
}

function timeStages(seconds: number, create: (n: number) => Publication): { timing: Timing; problems: string[] } {
  const { dataFlow, publisher } = createStages();
  const timed = timeCalls(seconds, (n) => {
    const publication = create(n);
    dataFlow.processData(publication, 'benchmark', (publication.data as { ts: number }).ts);
  });
  return { timing: timed, problems: problemsOf(dataFlow, publisher, timed.calls) };
}

function problemsOf(dataFlow: DataFlowManager, publisher: FramePublisher, calls: number): string[] {
  const refused = dataFlow.getStats().totalErrors;
  const problems: string[] = [];
  if (refused > 0) problems.push(`${refused} publications refused`);
  if (publisher.seq < calls) problems.push(`${publisher.seq} of ${calls} publications in the ring`);
  return problems;
}

/** Pieces as a pipe or a socket gives them. */
const PIECE_BYTES = 65_536;

function timeLines(seconds: number): { rows: Row[]; problems: string[] } {
  const parsed = timeFeeder(seconds, false);
  const passed = timeFeeder(seconds, true);
  const problems = [...parsed.problems, ...passed.problems];
  // The numbers of one that has come further have more digits.
  if (Math.abs(parsed.bytesEach - passed.bytesEach) > 3)
    problems.push(`frames of ${parsed.bytesEach} and ${passed.bytesEach} bytes`);
  const rows = [
    { what: 'parsed and printed', 'publications/s': parsed.perSecond, '× parsed': 1 },
    {
      what: 'as they are',
      'publications/s': passed.perSecond,
      '× parsed': Number((passed.perSecond / parsed.perSecond).toFixed(2)),
    },
  ];
  return { rows, problems };
}

/** Gives one piece after another to a feeder, which publishes all of its lines before the next comes. */
function timeFeeder(seconds: number, asTexts: boolean) {
  const { dataFlow, publisher } = createStages();
  const stream = new PassThrough();
  const feeder = new NdjsonFeeder(stream, 1, PIECE_BYTES, {
    read: () => {},
    ready: () => {},
    takesTexts: () => asTexts && dataFlow.takesTexts,
    publish: (publication) => dataFlow.processData(publication, 'benchmark', nowUs()),
    publishText: (text) => dataFlow.processText(text, 'benchmark', nowUs(), undefined),
    congested: () => false,
    reject: () => {},
  });
  feeder.open();
  const piece = Buffer.from(linesOf(PIECE_BYTES));
  const linesEach = piece.toString().split('\n').length - 1;
  const timed = timeCalls(seconds, () => {
    stream.emit('data', piece);
    while (feeder.takeLines(32) === 'more');
  });
  feeder.close();
  const publications = timed.calls * linesEach;
  return {
    perSecond: Math.round(publications / timed.seconds),
    bytesEach: Math.round(publisher.bytes / publisher.publications),
    problems: problemsOf(dataFlow, publisher, publications),
  };
}

/** As many lines as take about `bytes` bytes. */
function linesOf(bytes: number): string {
  let text = '';
  for (let n = 0; text.length < bytes; n++) text += `${JSON.stringify(createPublication(n))}\n`;
  return text;
}

/** Lets the simulator publish at `rate`, and looks how many arrive in the ring. */
async function measureGateway(rate: number, seconds: number): Promise<{ row: Row; problems: string[] }> {
  const options = { ...simulatorOptions(SYMBOLS, rate, PUBLICATION_BYTES), shards: 1 };
  const { pid, port, stop } = await startGateway(options);
  try {
    await sleep(seconds * 200);
    const before = { ...processUsage([pid]), publications: await publicationsOf(port), atMs: performance.now() };
    await sleep(seconds * 1000);
    const after = { ...processUsage([pid]), publications: await publicationsOf(port), atMs: performance.now() };
    const elapsedS = (after.atMs - before.atMs) / 1000;
    const perSecond = (after.publications - before.publications) / elapsedS;
    const row: Row = {
      'asked/s': rate,
      'publications/s': Math.round(perSecond),
      'process cores': Number(((after.cpuSeconds - before.cpuSeconds) / elapsedS).toFixed(2)),
      'RSS MiB': Math.round(after.residentMib),
    };
    return { row, problems: perSecond > 0 ? [] : ['the gateway published nothing'] };
  } finally {
    await stop();
  }
}

async function publicationsOf(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/api/websocket/stats`);
  const answer = (await response.json()) as { ring: { publications: number } };
  return answer.ring.publications;
}

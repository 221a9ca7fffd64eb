import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { RecordingSource } from '../../src/source/recording.ts';
import { nowUs } from '../../src/util/clock.ts';
import { CollectingSink } from '../support/collecting-sink.ts';
import { inventedRecording, realRecording } from '../support/recordings.ts';

type Options = Config['source']['recording'];

const PATIENCE_MS = 20_000;

let folder: string;
let source: RecordingSource | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tickcast-recording-'));
});
afterEach(() => source?.stop());
afterAll(() => rm(folder, { recursive: true }));

async function start(options: Partial<Options>, sink = new CollectingSink()): Promise<CollectingSink> {
  source = new RecordingSource({ file: '', exchange: '', speed: 'max', loop: false, anchorMs: 0, ...options });
  await source.start(sink);
  return sink;
}

async function playToEnd(options: Partial<Options>): Promise<CollectingSink> {
  const sink = await start(options);
  await vi.waitFor(() => expect(sink.endings + sink.errors.length).toBe(1), PATIENCE_MS);
  return sink;
}

async function written(text: string): Promise<string> {
  const file = join(folder, `${(await readdir(folder)).length}.ws`);
  await writeFile(file, text);
  return file;
}

function countByType(publications: readonly Publication[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type = 'none' } of publications) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

const trade = (second: number, id = 1) =>
  `${second}: {"stream":"abcusdt@aggTrade","data":{"e":"aggTrade","a":${id},"s":"ABCUSDT","p":"10","q":"2","T":5,"m":false}}`;

const OPENED = 'wss://fstream.binance.com/stream <-> 1625130000.0';

describe('RecordingSource', () => {
  it.each([
    ['binance-futures', { ticker: 2, depth: 1, trade: 1, kline: 1 }],
    ['coinbase', { depth: 2, trade: 1, ticker: 1 }],
    ['kraken', { depth: 2, trade: 2 }],
    ['bybit', { depth: 2, trade: 1 }],
  ])('plays a recording of %s, whose host tells the exchange', async (exchange, counts) => {
    const sink = await playToEnd({ file: inventedRecording(exchange) });
    expect(countByType(sink.publications)).toEqual(counts);
    expect(sink.problems).toEqual([]);
    expect(sink.errors).toEqual([]);
    expect(new Set(sink.publications.map((publication) => publication.exchange))).toEqual(new Set([exchange]));
    expect(source?.getState()).toMatchObject({ status: 'ended', published: sink.publications.length, rejected: 0 });
    expect(source?.getState().bytesRead).toBeGreaterThan(500);
  });

  it('tolerates a last line that is cut off, and reports bad lines with their number', async () => {
    const sink = await playToEnd({ file: inventedRecording('cut') });
    expect(countByType(sink.publications)).toEqual({ trade: 2 });
    expect(sink.problems.map(({ code, detail }) => [code, detail?.line])).toEqual([
      ['RECORDING_LINE_INVALID', 3],
      ['RECORDING_LINE_INVALID', 5],
    ]);
    expect(sink.problems[1]?.message).toContain('cut off');
    expect(source?.getState().rejected).toBe(2);
    expect(sink.endings).toBe(1);
  });

  it('reports a message that cannot be normalised and goes on', async () => {
    const bad = '1625130000.2: {"stream":"abcusdt@kline_1m","data":{"e":"kline","s":"ABCUSDT"}}';
    const text = [OPENED, trade(1625130000.1), bad, 'null', '1625130000.3: null', trade(1625130000.4), ''].join('\n');
    const sink = await playToEnd({ file: await written(text) });
    expect(sink.publications).toHaveLength(2);
    expect(sink.problems.map(({ detail }) => detail?.line)).toEqual([3, 4, 5]);
  });

  it('lays the recorded times onto the wall clock, at a speed', async () => {
    const text = [OPENED, trade(100), trade(101), trade(103)].join('\n');
    const begunUs = nowUs();
    const sink = await playToEnd({ file: await written(text), speed: 100 });
    const [first, second, third] = sink.dueUs as [number, number, number];
    expect(first).toBeGreaterThanOrEqual(begunUs);
    expect(second - first).toBe(10_000);
    expect(third - second).toBe(20_000);
    expect(nowUs()).toBeGreaterThanOrEqual(third);
    expect(sink.publications.map(({ data }) => (data as { ts: number }).ts)).toEqual(sink.dueUs);
  });

  it('begins again at the end, with due times that go on and books that begin anew', async () => {
    const sink = await start({ file: inventedRecording('binance-futures'), speed: 1_000, loop: true });
    await vi.waitFor(() => expect(sink.publications.length).toBeGreaterThan(20), PATIENCE_MS);
    await source?.stop();
    const dues = sink.dueUs as number[];
    expect(dues.every((dueUs, index) => index === 0 || dueUs > (dues[index - 1] as number))).toBe(true);
    expect(sink.endings).toBe(0);
    const firstOfPass = sink.publications.filter((_, index) => index % 5 === 0);
    for (const { data } of firstOfPass) expect(data).not.toHaveProperty('lastPrice');
  });

  it('publishes nothing after a stop, in the middle of a long pause too', async () => {
    const text = [OPENED, trade(100), trade(2_000)].join('\n');
    const sink = await start({ file: await written(text), speed: 1 });
    await vi.waitFor(() => expect(sink.publications).toHaveLength(1), PATIENCE_MS);
    await source?.stop();
    await source?.stop();
    expect(source?.getState().status).toBe('stopped');
    expect(sink.publications).toHaveLength(1);
    expect([sink.endings, sink.errors]).toEqual([0, []]);
  });

  it('waits for nobody at a speed, since a live market would not', async () => {
    const sink = new CollectingSink();
    sink.isCongested = true;
    await start({ file: inventedRecording('coinbase'), speed: 1_000 }, sink);
    await vi.waitFor(() => expect(sink.endings).toBe(1), PATIENCE_MS);
    expect(sink.publications).toHaveLength(4);
  });

  it('waits at max while the gateway is congested', async () => {
    const sink = new CollectingSink();
    sink.isCongested = true;
    await start({ file: inventedRecording('coinbase') }, sink);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(sink.publications).toHaveLength(0);
    sink.isCongested = false;
    await vi.waitFor(() => expect(sink.endings).toBe(1), PATIENCE_MS);
    expect(sink.publications).toHaveLength(4);
  });

  it('lets the event loop go round while it plays as fast as it can', async () => {
    const trades = Array.from({ length: 20_000 }, (_, id) => trade(1625130000, id));
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    const sink = await playToEnd({ file: await written([OPENED, ...trades].join('\n')) });
    clearInterval(counting);
    expect(sink.publications).toHaveLength(20_000);
    expect(turns).toBeGreaterThan(3);
  });

  it('plays again after it has been stopped', async () => {
    const file = inventedRecording('kraken');
    await playToEnd({ file });
    const again = new CollectingSink();
    await source?.start(again);
    await vi.waitFor(() => expect(again.endings).toBe(1), PATIENCE_MS);
    expect(again.publications).toHaveLength(4);
    expect(source?.getState().published).toBe(8);
  });

  it('does not start without its file', async () => {
    const starting = start({ file: join(folder, 'missing.ws') });
    await expect(starting).rejects.toMatchObject({ code: 'RECORDING_UNREADABLE' });
    expect(source?.getState()).toMatchObject({ status: 'failed' });
  });

  it('settles its start when it is stopped at once', async () => {
    source = new RecordingSource({
      file: inventedRecording('kraken'),
      exchange: '',
      speed: 1,
      loop: true,
      anchorMs: 0,
    });
    const starting = source.start(new CollectingSink());
    await source.stop();
    await starting;
    expect(source.getState().status).toBe('stopped');
  });

  it.each([
    ['an empty file', '', 'no line of it is in the format'],
    ['a file of another format', 'a,b,c\n1,2,3\n', 'no line of it is in the format'],
    ['a long file of another format', 'a,b,c\n'.repeat(30_000), 'its first 1000 lines'],
    ['a file that does not tell its exchange', '1: {}\n', 'source.recording.exchange'],
    ['a host that is not known', 'wss://feed.example.com <-> 1\n', 'hosts that are known: .*ws.kraken.com'],
  ])('does not start with %s', async (_, text, reason) => {
    const starting = start({ file: await written(text), loop: true });
    await expect(starting).rejects.toMatchObject({
      code: 'RECORDING_UNREADABLE',
      message: expect.stringMatching(reason),
    });
    expect(source?.getState()).toMatchObject({ status: 'failed', published: 0 });
  });

  it.each([
    ['of nothing but control messages', `${OPENED}\n1: {"result":null}\n`],
    ['of nothing that can be normalised', `${OPENED}\n${'1: []\n2: 5\n3: {\n'.repeat(10)}`],
    ['of nothing but the beginning', OPENED],
  ])('fails, rather than spin, with a file %s', async (_, text) => {
    const reason = 'nothing in it can be published';
    const sink = await start({ file: await written(text), loop: true });
    await vi.waitFor(() => expect(sink.errors).toHaveLength(1), PATIENCE_MS);
    expect(sink.errors[0]).toMatchObject({ code: 'RECORDING_UNREADABLE', message: expect.stringContaining(reason) });
    expect(sink.publications).toEqual([]);
    expect(source?.getState().status).toBe('failed');
  });

  it('takes the exchange from the options before the host', async () => {
    const text = ['wss://feed.example.com <-> 1', trade(2)].join('\n');
    const sink = await playToEnd({ file: await written(text), exchange: 'binance' });
    expect(sink.publications.map(({ exchange }) => exchange)).toEqual(['binance']);
  });

  it('takes the exchange from a subscription where the recording begins with one', async () => {
    const text = ['wss://fstream.binance.com/stream <- 1: {"method":"SUBSCRIBE"}', trade(2)].join('\n');
    const sink = await playToEnd({ file: await written(text) });
    expect(sink.publications.map(({ exchange }) => exchange)).toEqual(['binance-futures']);
  });

  it('plays a recording that begins in the middle of a connection, when the options tell the exchange', async () => {
    const sink = await playToEnd({ file: await written(trade(2)), exchange: 'binance-futures' });
    expect(sink.publications).toHaveLength(1);
  });

  it('does not start with an exchange in the options that is not known', async () => {
    const starting = start({ file: await written(`${OPENED}\n`), exchange: 'nasdaq' });
    await expect(starting).rejects.toMatchObject({
      code: 'RECORDING_UNREADABLE',
      message: expect.stringMatching(/"nasdaq"; allowed: .*kraken/),
    });
  });
});

describe('RecordingSource with real traffic', () => {
  const real: [string, Record<string, number>][] = [
    ['coinbase', { depth: 9_729, ticker: 107, trade: 97 }],
    ['bybit', { depth: 3_260, trade: 101 }],
    ['kraken', { depth: 4_279 }],
    ['binance-futures', { depth: 764, kline: 67, ticker: 613, trade: 91 }],
  ];

  it.for(real)('plays all of %s', async ([exchange, counts], { skip }) => {
    const file = realRecording(exchange);
    if (file === undefined) return skip('the folder of recordings is missing: set TICKCAST_RECORDINGS');
    const sink = await playToEnd({ file });
    expect(countByType(sink.publications)).toEqual(counts);
    expect(sink.problems).toEqual([]);
  });
});

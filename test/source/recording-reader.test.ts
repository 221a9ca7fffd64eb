import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchangeOfUrl } from '../../src/source/recording-exchange.ts';
import { parseRecordingLine, type RecordingLine, RecordingReader } from '../../src/source/recording-reader.ts';

describe('parseRecordingLine', () => {
  it('reads when a connection opened', () => {
    const line = 'wss://ws.example.com/path?x=a@b <-> 1618677816.8434298';
    const url = 'wss://ws.example.com/path?x=a@b';
    expect(parseRecordingLine(line)).toEqual({ kind: 'opened', url, timeUs: 1_618_677_816_843_430 });
  });

  it('reads what the recorder sent', () => {
    const line = 'wss://ws.example.com <- 1618677817.02: {"op":"subscribe"}';
    expect(parseRecordingLine(line)).toEqual({
      kind: 'sent',
      url: 'wss://ws.example.com',
      timeUs: 1_618_677_817_020_000,
    });
  });

  it('reads what the exchange sent, colons and all', () => {
    const line = '1618677817: {"a": "b: c"}';
    expect(parseRecordingLine(line)).toEqual({
      kind: 'received',
      text: '{"a": "b: c"}',
      timeUs: 1_618_677_817_000_000,
    });
  });

  it.each([
    'hello',
    '1618677817 {"a":1}',
    '1e9: {}',
    '-5: {}',
    '12345678901: {}',
    'http://example.com <-> 5',
    'wss://example.com <-> soon',
    ': {}',
  ])('says that %s is not in the format', (line) => {
    expect(parseRecordingLine(line).kind).toBe('unreadable');
  });
});

describe('exchangeOfUrl', () => {
  it.each([
    ['wss://ws-feed.pro.coinbase.com', 'coinbase'],
    ['wss://stream.bybit.com/realtime_public', 'bybit'],
    ['wss://ws.kraken.com', 'kraken'],
    ['wss://fstream.binance.com/stream?streams=a@b/c@d', 'binance-futures'],
    ['wss://stream.binance.com:9443/stream', 'binance'],
    ['wss://feed.example.com', undefined],
    ['wss://', undefined],
  ])('tells the exchange at %s', (url, exchange) => {
    expect(exchangeOfUrl(url)).toBe(exchange);
  });
});

describe('RecordingReader', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tickcast-reader-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function readAll(content: string | Buffer) {
    const file = join(folder, 'recording.ws');
    await writeFile(file, content);
    const reader = await RecordingReader.open(file);
    const lines: [number, RecordingLine['kind'], boolean][] = [];
    let bytes: number | undefined = 0;
    let bytesRead = 0;
    while (bytes !== undefined) {
      for (let line = reader.next(); line !== undefined; line = reader.next()) {
        lines.push([reader.lineNumber, line.kind, reader.mayBeCut]);
      }
      bytes = await reader.read();
      bytesRead += bytes ?? 0;
    }
    await reader.close();
    return { lines, bytesRead };
  }

  it('reads a file line by line, with their numbers', async () => {
    const { lines } = await readAll('wss://a.example <-> 1\n\nwss://a.example <- 2: x\n3: {}\nwhat\n');
    expect(lines).toEqual([
      [1, 'opened', false],
      [3, 'sent', false],
      [4, 'received', false],
      [5, 'unreadable', false],
    ]);
  });

  it('says of a last line without an end that it may be cut', async () => {
    const { lines } = await readAll('1: {}\n2: {"a');
    expect(lines).toEqual([
      [1, 'received', false],
      [2, 'received', true],
    ]);
  });

  it('reads lines that are longer than what it reads at a time', async () => {
    const text = 'x'.repeat(300_000);
    const { lines, bytesRead } = await readAll(`1: ${text}\n2: ${text}\n3: y\n`);
    expect(lines.map(([number]) => number)).toEqual([1, 2, 3]);
    expect(bytesRead).toBe(600_013);
  });

  it('has nothing in an empty file', async () => {
    expect((await readAll('')).lines).toEqual([]);
  });

  it('says of a line that is not UTF-8 that it cannot be read', async () => {
    const { lines } = await readAll(Buffer.from([0x31, 0x3a, 0x20, 0xff, 0x0a]));
    expect(lines).toEqual([[1, 'unreadable', false]]);
  });

  it('names the file that it cannot open', async () => {
    const opening = RecordingReader.open(join(folder, 'missing.ws'));
    await expect(opening).rejects.toMatchObject({
      code: 'RECORDING_UNREADABLE',
      message: expect.stringContaining('missing.ws'),
    });
  });

  it('names a folder that it cannot read', async () => {
    const reader = await RecordingReader.open(folder);
    await expect(reader.read()).rejects.toMatchObject({ code: 'RECORDING_UNREADABLE' });
    await reader.close();
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { RecordingSource } from '../../src/source/recording.ts';
import { parseRecordingLine } from '../../src/source/recording-reader.ts';
import { loadTardisMappers, TardisNormaliser } from '../../src/source/tardis-normaliser.ts';
import { CollectingSink } from '../support/collecting-sink.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
const limits = { seed, interruptAfterTimeLimit: 8_000 };

const stamp = fc.double({ min: 0, max: 4e9, noNaN: true }).map((seconds) => seconds.toFixed(6));
const text = fc.string({ unit: 'grapheme' }).map((string) => string.replaceAll(/[\r\n]/g, ' '));
const microseconds = (seconds: string) => Math.round(Number(seconds) * 1_000_000);

it(`reads back every line of the format, whatever text it carries (seed ${seed})`, () => {
  fc.assert(
    fc.property(stamp, text, (seconds, said) => {
      const timeUs = microseconds(seconds);
      expect(parseRecordingLine(`${seconds}: ${said}`)).toEqual({ kind: 'received', timeUs, text: said });
      const url = 'wss://ws.example.com/a?b=c';
      expect(parseRecordingLine(`${url} <- ${seconds}: ${said}`)).toEqual({ kind: 'sent', timeUs, url });
      expect(parseRecordingLine(`${url} <-> ${seconds}`)).toEqual({ kind: 'opened', timeUs, url });
    }),
    { ...limits, numRuns: 2_000 },
  );
});

it(`never throws at a line, whatever it is (seed ${seed})`, () => {
  const line = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom('wss://a', ' <-> ', ' <- ', '1', '.', ': ', '{}', ' ')).map((p) => p.join('')),
  );
  fc.assert(
    fc.property(line, (given) => {
      expect(['opened', 'sent', 'received', 'unreadable']).toContain(parseRecordingLine(given).kind);
    }),
    { ...limits, numRuns: 5_000 },
  );
});

it(`publishes whole publications or throws, whatever the message is (seed ${seed})`, async () => {
  const tardis = await loadTardisMappers();
  const fields = [
    'type',
    'stream',
    'data',
    'topic',
    'e',
    's',
    'k',
    'b',
    'a',
    'bids',
    'asks',
    'price',
    'p',
    'time',
    'changes',
  ];
  const words = [
    'match',
    'l2update',
    'snapshot',
    'ticker',
    'abc@depth',
    'abc@kline_1m',
    'trade.ABC',
    'kline',
    'aggTrade',
    '5',
  ];
  const { message } = fc.letrec((tie) => ({
    leaf: fc.oneof(fc.constantFrom(...words, null, 0, -1, 1.5, true), fc.string()),
    message: fc.oneof(
      { maxDepth: 4 },
      tie('leaf'),
      fc.array(tie('message'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...fields), tie('message'), { maxKeys: 6 }),
    ),
  }));
  const exchange = fc.constantFrom('coinbase', 'bybit', 'kraken', 'binance', 'binance-futures');
  fc.assert(
    fc.property(exchange, message, (id, given) => {
      const normaliser = new TardisNormaliser(tardis, id, 1_625_130_000_000_000);
      let publications: unknown[] = [];
      try {
        publications = normaliser.normalise(given, 1_625_130_000_000_000, 5);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(Error);
      }
      for (const publication of publications) {
        expect(publication).toMatchObject({ exchange: id, timestamp: expect.any(Number), data: { ts: 5 } });
        expect((publication as { timestamp: number }).timestamp).not.toBeNaN();
      }
    }),
    { ...limits, numRuns: 5_000 },
  );
});

it(`plays a recording with broken lines to its end (seed ${seed})`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tickcast-fuzz-'));
  const file = join(folder, 'broken.ws');
  const good = '5.5: {"stream":"a@aggTrade","data":{"e":"aggTrade","a":1,"s":"A","p":"1","q":"2","T":5}}';
  const bad = fc.oneof(
    fc.constantFrom(
      'x',
      '5: {',
      '5: 7',
      '5: [1,2]',
      '5: {"stream":1}',
      '5: {"stream":"a@kline_1m","data":{"e":"kline"}}',
    ),
    fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => `\u0001${Buffer.from(bytes).toString('hex')}`),
  );
  const content = fc.array(fc.oneof(fc.constant(good), bad), { maxLength: 40 });
  try {
    await fc.assert(
      fc.asyncProperty(content, async (lines) => {
        writeFileSync(file, ['wss://stream.binance.com <-> 1', good, ...lines].join('\n'));
        const source = new RecordingSource({ file, exchange: '', speed: 'max', loop: false, anchorMs: 0 });
        const sink = new CollectingSink();
        await source.start(sink);
        await vi.waitFor(() => expect(sink.endings).toBe(1), { timeout: 20_000, interval: 1 });
        expect(sink.publications).toHaveLength(1 + lines.filter((line) => line === good).length);
        expect(sink.problems.length).toBeLessThanOrEqual(lines.length);
        await source.stop();
      }),
      { ...limits, numRuns: 100 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

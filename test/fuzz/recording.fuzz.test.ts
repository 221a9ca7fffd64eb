import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { RecordingSource } from '../../src/source/recording.ts';
import { TickcastError } from '../../src/util/errors.ts';
import { CollectingSink } from '../support/collecting-sink.ts';
import { inventedRecording } from '../support/recordings.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
const limits = { seed, interruptAfterTimeLimit: 10_000 };

const LINE_FEED = 0x0a;
const NOT_UTF8 = 0xff;
/** Most that one line of the invented recordings holds. */
const PUBLICATIONS_A_LINE = 2;

const originals = ['binance-futures', 'bybit', 'coinbase', 'kraken'].map((exchange) => ({
  exchange,
  bytes: readFileSync(inventedRecording(exchange)),
}));

/** A change to a file: some bytes at a place, as a share of its length, give way to others. */
const change = fc.record({
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat(12),
  inserted: fc.oneof(
    fc
      .constantFrom('"', '{', '}', '[', ']', ',', ':', '0', '-', '.', 'e9', 'null', '\n', ' <-> ', '\0')
      .map(Buffer.from),
    fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  ),
});

type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

function changed(original: Buffer, changes: readonly Change[]): Buffer {
  return changes.reduce((bytes, { place, removed, inserted }) => {
    const at = Math.floor(place * bytes.length);
    return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
  }, original);
}

/** Plays a file to its end and checks what holds for every file: it comes to an end, and what is published is whole. */
async function play(file: string, exchange = ''): Promise<CollectingSink> {
  const source = new RecordingSource({ file, exchange, speed: 'max', loop: false, anchorMs: 0 });
  const sink = new CollectingSink();
  try {
    await source.start(sink);
    const settled = () => expect(sink.endings + sink.errors.length).toBe(1);
    await vi.waitFor(settled, { timeout: 20_000, interval: 1 });
  } catch (thrown) {
    sink.errors.push(thrown as Error);
  }
  await source.stop();
  for (const error of sink.errors) {
    expect(error).toBeInstanceOf(TickcastError);
    expect(error).toMatchObject({ code: 'RECORDING_UNREADABLE' });
  }
  for (const { detail } of sink.problems) expect(detail?.line).toBeGreaterThan(0);
  for (const publication of sink.publications) {
    expect(Object.keys(publication)).toEqual(['type', 'exchange', 'symbol', 'timestamp', 'data']);
    expect(Object.keys(publication.data as object)[0]).toBe('ts');
    expect(Number.isFinite(publication.timestamp)).toBe(true);
    expect(publication.symbol).not.toBe('');
  }
  return sink;
}

async function withFile(run: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tickcast-fuzz-'));
  try {
    await run(join(folder, 'recording.ws'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it(`comes to an end with any recording that has been damaged (seed ${seed})`, () =>
  withFile((file) =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...originals),
        fc.array(change, { minLength: 1, maxLength: 20 }),
        async ({ bytes }, changes) => {
          writeFileSync(file, changed(bytes, changes));
          await play(file);
        },
      ),
      { ...limits, numRuns: 400 },
    ),
  ));

it(`loses no other line to one that is not UTF-8, and names it (seed ${seed})`, () =>
  withFile(async (file) => {
    for (const { exchange, bytes } of originals) {
      writeFileSync(file, bytes);
      const whole = (await play(file, exchange)).publications.length;
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes.length - 1), async (at) => {
          fc.pre(bytes[at] !== LINE_FEED);
          const damaged = Buffer.from(bytes);
          damaged[at] = NOT_UTF8;
          writeFileSync(file, damaged);
          const sink = await play(file, exchange);
          const linesBefore = bytes.subarray(0, at).filter((byte) => byte === LINE_FEED).length;
          expect(sink.problems.map(({ detail }) => detail?.line)).toEqual([linesBefore + 1]);
          expect(sink.publications.length).toBeGreaterThanOrEqual(whole - PUBLICATIONS_A_LINE);
          expect(sink.publications.length).toBeLessThanOrEqual(whole);
        }),
        { ...limits, numRuns: 60, interruptAfterTimeLimit: 3_000 },
      );
    }
  }));

it(`refuses random bytes, or plays them as nothing (seed ${seed})`, () =>
  withFile((file) =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        writeFileSync(file, bytes);
        const sink = await play(file, 'kraken');
        expect(sink.publications).toEqual([]);
        expect(sink.errors).toHaveLength(1);
      }),
      { ...limits, numRuns: 200 },
    ),
  ));

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordingSource } from '../../src/source/recording.ts';
import { nowMs } from '../../src/util/clock.ts';
import { CollectingSink } from '../support/collecting-sink.ts';

const PATIENT = { timeout: 10_000, interval: 5 };
const SPEED = 10;
/** Recorded seconds between two trades; and trades in the file. */
const APART_S = 0.2;
const TRADES = 25;
/** A playing of it takes half a second, its turn included. */
const PASS_MS = (TRADES * APART_S * 1_000) / SPEED;

let folder: string;
let file: string;
const playing: RecordingSource[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickcast-step-'));
  file = join(folder, 'recording.ws');
  const trade = (n: number) =>
    `${(1_625_130_000 + n * APART_S).toFixed(3)}: {"stream":"abcusdt@aggTrade","data":{"e":"aggTrade","a":${n},"s":"ABCUSDT","p":"10","q":"2","T":5,"m":false}}`;
  const trades = Array.from({ length: TRADES }, (_, n) => trade(n));
  writeFileSync(file, ['wss://fstream.binance.com/stream <-> 1625130000.0', ...trades].join('\n'));
});

afterEach(async () => {
  for (const source of playing.splice(0)) await source.stop();
  rmSync(folder, { recursive: true });
});

async function play(anchorMs: number, options: { loop?: boolean; speed?: number } = {}): Promise<CollectingSink> {
  const source = new RecordingSource({ file, exchange: '', speed: SPEED, loop: true, anchorMs, ...options });
  const sink = new CollectingSink();
  playing.push(source);
  await source.start(sink);
  return sink;
}

/** What was published, as `number:id:due` of each. */
function told({ numbers, publications, dueUs }: CollectingSink): string[] {
  return publications.map(({ data }, n) => {
    const { id } = data as { id: string };
    return `${numbers[n]!.seq}:${id}:${Math.round(dueUs[n]! / 1_000)}`;
  });
}

describe('a recording that is played in step', () => {
  it('gives what several play at the same moment the same number, whenever each of them joined', async () => {
    const anchorMs = nowMs() - 40;
    const early = await play(anchorMs);
    await expect.poll(() => early.publications.length, PATIENT).toBeGreaterThan(10);
    const late = await play(anchorMs);
    await expect.poll(() => late.publications.length, PATIENT).toBeGreaterThan(2 * TRADES);
    const [first] = told(late) as [string];
    const tail = told(early);
    expect(tail).toContain(first);
    const common = tail.slice(tail.indexOf(first));
    const shorter = Math.min(common.length, late.publications.length);
    expect(common.slice(0, shorter)).toEqual(told(late).slice(0, shorter));
    const numberings = new Set([...early.numbers, ...late.numbers].map((number) => number!.numbering));
    expect(numberings.size).toBe(1);
  });

  it('joins far behind the beginning without playing what is over, and goes on without a hole', async () => {
    const passes = 1_000_000;
    const sink = await play(nowMs() - passes * PASS_MS);
    const began = nowMs();
    await expect.poll(() => sink.publications.length, PATIENT).toBeGreaterThan(2 * TRADES);
    const seqs = sink.numbers.map((number) => number!.seq);
    // Its place by the clock, give or take what a busy machine takes to begin.
    expect(seqs[0]).toBeGreaterThanOrEqual(passes * TRADES);
    expect(seqs[0]).toBeLessThan((passes + 20) * TRADES);
    expect(seqs).toEqual(seqs.map((_, n) => seqs[0]! + n));
    expect(sink.numbers.map((number) => number!.unbrokenFrom)).toEqual(seqs.map(() => seqs[0]));
    const ids = sink.publications.map(({ data }) => Number((data as { id: string }).id));
    expect(ids).toEqual(seqs.map((seq) => (seq - 1) % TRADES));
    expect(Math.min(...(sink.dueUs as number[])) / 1_000).toBeGreaterThan(began - 5_000);
  });

  it('waits for a beginning that is yet to come', async () => {
    const anchorMs = nowMs() + 150;
    const sink = await play(anchorMs);
    await expect.poll(() => sink.publications.length, PATIENT).toBeGreaterThan(0);
    expect(nowMs()).toBeGreaterThanOrEqual(anchorMs);
    expect(told(sink)[0]).toBe(`1:0:${anchorMs}`);
  });

  it('ends at once where it is over', async () => {
    const sink = await play(nowMs() - 60_000, { loop: false });
    await expect.poll(() => sink.endings, PATIENT).toBe(1);
    expect(sink.publications).toEqual([]);
  });

  it('is another numbering for another moment, another speed and another file', async () => {
    const anchorMs = nowMs();
    const sinks = [await play(anchorMs), await play(anchorMs + 1), await play(anchorMs, { speed: SPEED + 1 })];
    writeFileSync(file, '\n', { flag: 'a' });
    sinks.push(await play(anchorMs));
    for (const sink of sinks) await expect.poll(() => sink.publications.length, PATIENT).toBeGreaterThan(0);
    expect(new Set(sinks.map(({ numbers }) => numbers[0]!.numbering)).size).toBe(4);
  });
});

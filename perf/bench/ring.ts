/**
 * The ring: what a publication costs the transmitter, how many a second reach another thread, and how long one takes
 * that finds the reader asleep. Compared with posting each publication as a message.
 */
import { once } from 'node:events';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { TEXT, writeFrameHeader } from '../../src/frame/frame-header.ts';
import { allocateRing, FRAME, NO_POSITION, type RingMemory } from '../../src/ring/layout.ts';
import { type RecordFields, Transmitter } from '../../src/ring/transmitter.ts';
import { WakeUpSender } from '../../src/ring/wake-up.ts';
import type { HistogramSummary } from '../../src/telemetry/histogram.ts';
import { nowUs } from '../../src/util/clock.ts';
import type { BenchmarkResult, BenchmarkSettings } from '../lib/benchmark.ts';
import { type Timing, timeCalls, timing } from '../lib/stopwatch.ts';
import type { Row } from '../lib/table.ts';
import { LatencyHistogram } from '../load/latency-histogram.ts';
import {
  type FromReader,
  LAPPED_INDEX,
  ORDER_ERRORS_INDEX,
  POSITION_INDEX,
  PROGRESS_WORDS,
  RECORDS_INDEX,
  type ReaderTask,
  type ToReader,
} from './ring-messages.ts';

const RING_BYTES = 16 * 1024 * 1024;
const TEXT_BYTES = 200;
const PUBLICATIONS_PER_LOOK = 256;
/** Publications that may be under way to the reader, where nothing else holds the sender back. */
const POSTS_UNDER_WAY_MAX = 4_096;
const PAUSE_MS = 2;

const publicationText = `{"type":"trade","payload":${JSON.stringify('x'.repeat(TEXT_BYTES))}}`;

export async function ring({ smoke }: BenchmarkSettings): Promise<BenchmarkResult> {
  const seconds = smoke ? 0.1 : 3;
  const paced = smoke ? 20 : 1_000;
  const alone = transmitAlone(seconds);
  const ringRun = await measurePath('ring', seconds, paced);
  const postsRun = await measurePath('posts', seconds, paced);
  const rows: Row[] = [
    { way: 'ring, no reader', 'publications/s': alone.perSecond, 'ns each': alone.nsEach },
    rowOf('ring, one reader', ringRun, postsRun),
    rowOf('postMessage', postsRun, postsRun),
  ];
  return {
    sections: [{ title: `Publications of ${publicationText.length} bytes from one thread to another`, rows }],
    details: { alone, ring: ringRun, posts: postsRun },
    problems: [...ringRun.problems, ...postsRun.problems],
  };
}

interface PathRun {
  flood: Timing;
  paced: HistogramSummary;
  problems: string[];
}

function rowOf(way: string, run: PathRun, posts: PathRun): Row {
  return {
    way,
    'publications/s': run.flood.perSecond,
    'ns each': run.flood.nsEach,
    '× postMessage': Number((run.flood.perSecond / posts.flood.perSecond).toFixed(2)),
    'wake p50 µs': run.paced.p50,
    'wake p99 µs': run.paced.p99,
    'wake max µs': run.paced.max,
  };
}

/** Writes one publication into the ring as the frame stage does. */
class RingSender {
  readonly #transmitter: Transmitter;
  readonly capacity: number;
  readonly #record: RecordFields = {
    kind: FRAME,
    topic: 0,
    slot: 0,
    policy: 0,
    seq: 0,
    dueUs: 0,
    previous: NO_POSITION,
    ordinal: 0,
    prevSeq: 0,
  };

  constructor(memory: RingMemory) {
    this.#transmitter = new Transmitter(memory);
    this.capacity = this.#transmitter.capacity;
  }

  get position(): number {
    return this.#transmitter.position;
  }

  send(dueUs: number): void {
    const transmitter = this.#transmitter;
    const at = transmitter.claim(publicationText.length * 3);
    const bytes = transmitter.data.write(publicationText, at);
    const headerBytes = writeFrameHeader(transmitter.data, at, bytes, TEXT);
    this.#record.seq++;
    this.#record.dueUs = dueUs;
    transmitter.commit(bytes, bytes + headerBytes, this.#record);
    transmitter.publish();
  }
}

function transmitAlone(seconds: number): Timing {
  const sender = new RingSender(allocateRing(RING_BYTES));
  return timeCalls(seconds, () => sender.send(0));
}

/** One way to a reader's thread. `behind`: whether the sender should wait for the reader. */
interface Path {
  send(dueUs: number): void;
  behind(): boolean;
}

async function measurePath(how: ReaderTask['how'], seconds: number, paced: number): Promise<PathRun> {
  const memory = allocateRing(RING_BYTES);
  const progress = new SharedArrayBuffer(PROGRESS_WORDS * Float64Array.BYTES_PER_ELEMENT);
  const words = new Float64Array(progress);
  const task: ReaderTask = { how, ring: memory, progress };
  const reader = new Worker(new URL('./ring-reader.ts', import.meta.url), { workerData: task });
  await once(reader, 'message');
  const path = how === 'ring' ? ringPath(memory, words, reader) : postPath(words, reader);
  try {
    const pacedSent = await sendPaced(path, paced);
    const latency = await reportOf(reader);
    const flood = await sendFlood(path, words, seconds, pacedSent);
    const problems: string[] = [];
    if (words[ORDER_ERRORS_INDEX] !== 0)
      problems.push(`${how}: ${words[ORDER_ERRORS_INDEX]} publications out of order`);
    if (words[LAPPED_INDEX] !== 0) problems.push(`${how}: lapped, though the sender waited`);
    return { flood, paced: latency, problems };
  } finally {
    await reader.terminate();
  }
}

function ringPath(memory: RingMemory, words: Float64Array, reader: Worker): Path {
  const sender = new RingSender(memory);
  const wakeUp = new WakeUpSender(memory);
  wakeUp.attach(0, reader);
  return {
    send: (dueUs) => {
      sender.send(dueUs);
      wakeUp.wake({ kind: 'wake' } satisfies ToReader);
    },
    behind: () => sender.position - (words[POSITION_INDEX] as number) > sender.capacity / 2,
  };
}

/** Its bytes have memory of their own; those of `Buffer.from` lie in a pool, all of which a post would copy. */
const encoder = new TextEncoder();

function postPath(words: Float64Array, reader: Worker): Path {
  let seq = 0;
  return {
    send: (dueUs) => {
      const message: ToReader = { kind: 'post', seq: ++seq, dueUs, bytes: encoder.encode(publicationText) };
      reader.postMessage(message);
    },
    behind: () => seq - (words[RECORDS_INDEX] as number) > POSTS_UNDER_WAY_MAX,
  };
}

/** One at a time, each finding the reader asleep. */
async function sendPaced(path: Path, count: number): Promise<number> {
  for (let n = 0; n < count; n++) {
    path.send(nowUs());
    await sleep(PAUSE_MS);
  }
  return count;
}

/** As many as the reader keeps up with; the time ends when the last has arrived. */
async function sendFlood(path: Path, words: Float64Array, seconds: number, before: number): Promise<Timing> {
  const begunMs = performance.now();
  const untilMs = begunMs + seconds * 1000;
  let sent = 0;
  while (performance.now() < untilMs) {
    for (let i = 0; i < PUBLICATIONS_PER_LOOK; i++) path.send(0);
    sent += PUBLICATIONS_PER_LOOK;
    while (path.behind()) await turn();
  }
  while ((words[RECORDS_INDEX] as number) < before + sent) await turn();
  return timing(sent, (performance.now() - begunMs) / 1000);
}

async function reportOf(reader: Worker): Promise<HistogramSummary> {
  reader.postMessage({ kind: 'report' } satisfies ToReader);
  const [answer] = (await once(reader, 'message')) as [FromReader];
  const histogram = new LatencyHistogram();
  histogram.merge(answer.latency);
  return histogram.summary();
}

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Config } from '../config/schema.ts';
import type { SourceNumber } from '../dataflow/source-number.ts';
import type { PlaybackSchedule } from './playback-schedule.ts';

/** What is due longer ago than this is not played any more: the process was held up, µs. */
const LATE_US_MAX = 10_000_000;
/** So much of a file, and its size, tell it from others. */
const HEAD_BYTES = 64 * 1024;

/**
 * A playing in step with those of other gateways: all of them began at one moment, whenever they were started, so each joins
 * where the others are. Counts what is played and what is passed over, so that a publication has the same number everywhere.
 */
export class RecordingStep {
  readonly #numbering: string;
  readonly #joinedUs: number;
  readonly #speed: number;
  #seq = 0;
  #publishedSeq = 0;
  #unbrokenFrom = 0;
  #passBeganUs = 0;
  #passBeganSeq = 0;

  /** @param joinedUs when this one joins, µs since the epoch */
  constructor(numbering: string, speed: number, joinedUs: number) {
    this.#numbering = numbering;
    this.#speed = speed;
    this.#joinedUs = joinedUs;
  }

  get numbering(): string {
    return this.#numbering;
  }

  /** Whether what is due then was played before this one joined, or is too late to be played. */
  isOver(dueUs: number, nowUs: number): boolean {
    return dueUs < Math.max(this.#joinedUs, nowUs - LATE_US_MAX);
  }

  /** `count` publications are passed over. */
  pass(count: number): void {
    this.#seq += count;
  }

  /** The number of the next publication. */
  next(): SourceNumber {
    const seq = ++this.#seq;
    if (seq !== this.#publishedSeq + 1 || this.#unbrokenFrom === 0) this.#unbrokenFrom = seq;
    this.#publishedSeq = seq;
    return { numbering: this.#numbering, seq, unbrokenFrom: this.#unbrokenFrom };
  }

  /** The recording is about to begin again. Those playings of it that are over by then are passed over at once. */
  beginAgain(schedule: PlaybackSchedule, nowUs: number): void {
    const passUs = schedule.elapsedUs - this.#passBeganUs;
    const passCount = this.#seq - this.#passBeganSeq;
    const overUs = (Math.max(this.#joinedUs, nowUs - LATE_US_MAX) - schedule.positionUs) * this.#speed;
    const passes = Math.max(0, Math.floor(overUs / passUs));
    schedule.skip(passes * passUs);
    this.pass(passes * passCount);
    this.#passBeganUs = schedule.elapsedUs;
    this.#passBeganSeq = this.#seq;
  }
}

/** Names the numbering of a recording that is played so: the same wherever the same is played from the same moment on. */
export async function numberingOf(options: Config['source']['recording'], exchange: string): Promise<string> {
  const handle = await open(options.file);
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex');
    const { speed, loop, anchorMs } = options;
    return ['recording', head, size, exchange, speed, loop, anchorMs].join(':');
  } finally {
    await handle.close();
  }
}

import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import type { Publication } from '../dataflow/publication.ts';
import { nowMs, nowUs } from '../util/clock.ts';
import { errorMessage } from '../util/errors.ts';
import { PlaybackSchedule } from './playback-schedule.ts';
import { beginningOf, unplayable } from './recording-beginning.ts';
import { type RecordingLine, RecordingReader } from './recording-reader.ts';
import { numberingOf, RecordingStep } from './recording-step.ts';
import type { SourceSink } from './source.ts';
import type { SourceCounters } from './source-counters.ts';
import { loadTardisMappers, type TardisMappers, TardisNormaliser } from './tardis-normaliser.ts';

/** Longest work before the event loop goes on, ms. */
const TURN_MS_MAX = 2;

/** Pause before a congested gateway is asked again, ms. */
const CONGESTION_PAUSE_MS = 2;

/** Longest pause in one piece, ms: a clock that was set is noticed by then. */
const PAUSE_MS_MAX = 60_000;

const US_PER_MS = 1_000;
const PREVIEW_LENGTH = 80;

/** One playing of a recording, from its start to a stop or the end. Counts in its source's counters. */
export class RecordingPlayer {
  readonly #options: Config['source']['recording'];
  readonly #counters: SourceCounters;
  readonly #sink: SourceSink;
  readonly #signal: AbortSignal;
  /** Undefined at `max`. */
  readonly #schedule: PlaybackSchedule | undefined;
  /** Where it is played in step with others. */
  #step: RecordingStep | undefined;
  /** Publications so far, those that were passed over with them. */
  #found = 0;
  #tardis: TardisMappers | undefined;
  #exchange: string;
  #normaliser: TardisNormaliser | undefined;
  #turnBeganMs = 0;

  constructor(options: Config['source']['recording'], counters: SourceCounters, sink: SourceSink, signal: AbortSignal) {
    this.#options = options;
    this.#counters = counters;
    this.#sink = sink;
    this.#signal = signal;
    this.#exchange = options.exchange;
    const { speed, anchorMs } = options;
    const startUs = anchorMs === 0 ? nowUs() : anchorMs * US_PER_MS;
    this.#schedule = speed === 'max' ? undefined : new PlaybackSchedule(speed, startUs, anchorMs !== 0);
  }

  /**
   * Looks at how the file begins, so that what cannot be played fails the start.
   * @throws TickcastError RECORDING_UNREADABLE
   */
  async open(): Promise<void> {
    const { exchange, timeUs } = await beginningOf(this.#options.file, this.#options.exchange);
    this.#exchange = exchange;
    this.#tardis = await loadTardisMappers();
    const { anchorMs, speed } = this.#options;
    if (anchorMs !== 0 && speed !== 'max') {
      this.#step = new RecordingStep(await numberingOf(this.#options, exchange), speed, nowUs());
    }
    this.#connectionOpened(timeUs);
  }

  /** Plays the file once, or over and over. Resolves at the end, or when the signal has been given. */
  async play(): Promise<void> {
    do {
      const before = this.#found;
      await this.#playOnce();
      if (this.#signal.aborted) return;
      if (this.#found === before) throw unplayable(this.#options.file, 'nothing in it can be published');
      await this.#checkStep();
      this.#beginAgain(nowUs());
    } while (this.#options.loop);
  }

  /** A file that is another one now has other numbers. */
  async #checkStep(): Promise<void> {
    if (this.#step === undefined) return;
    const numbering = await numberingOf(this.#options, this.#exchange);
    if (numbering !== this.#step.numbering)
      throw unplayable(this.#options.file, 'it has changed while it was played in step');
  }

  #beginAgain(atUs: number): void {
    const schedule = this.#schedule;
    if (schedule === undefined) return;
    schedule.beginAgain(atUs);
    this.#step?.beginAgain(schedule, atUs);
  }

  async #playOnce(): Promise<void> {
    const reader = await RecordingReader.open(this.#options.file);
    this.#normaliser = undefined;
    this.#turnBeganMs = performance.now();
    try {
      for (;;) {
        const line = reader.next();
        if (line !== undefined) {
          await this.#playLine(line, reader);
        } else {
          const bytes = await reader.read();
          if (bytes === undefined) return;
          this.#counters.bytesRead += bytes;
        }
        if (this.#signal.aborted) return;
      }
    } finally {
      await reader.close();
    }
  }

  async #playLine(line: RecordingLine, reader: RecordingReader): Promise<void> {
    if (line.kind === 'received') {
      const message = this.#parse(line.text, reader);
      if (message === undefined) return;
      const dueUs = this.#schedule?.dueUs(line.timeUs, nowUs());
      const ready = this.#waitUntil(dueUs);
      if (ready !== undefined) await ready;
      if (!this.#signal.aborted) this.#publish(message, line, dueUs ?? nowUs(), reader.lineNumber);
    } else if (line.kind === 'unreadable') {
      this.#reject(reader, line.reason);
    } else if (line.kind === 'opened') {
      this.#connectionOpened(line.timeUs);
    }
  }

  /** A new connection begins with clean books. */
  #connectionOpened(timeUs: number): TardisNormaliser {
    this.#normaliser = new TardisNormaliser(this.#tardis as TardisMappers, this.#exchange, timeUs);
    return this.#normaliser;
  }

  /** @returns undefined for what is not JSON, which is reported here */
  #parse(text: string, reader: RecordingReader): unknown {
    try {
      return JSON.parse(text) as unknown;
    } catch (thrown) {
      this.#reject(reader, errorMessage(thrown), text);
      return undefined;
    }
  }

  /** @returns undefined when the message may be published at once, which most may: no promise for each */
  #waitUntil(dueUs: number | undefined): Promise<void> | undefined {
    const early = dueUs === undefined ? this.#sink.congested() : dueUs > nowUs();
    if (!early && performance.now() - this.#turnBeganMs < TURN_MS_MAX) return undefined;
    return this.#rest(dueUs);
  }

  async #rest(dueUs: number | undefined): Promise<void> {
    await nextTurn();
    while (!this.#signal.aborted) {
      const waitMs = dueUs === undefined ? this.#congestionMs() : Math.ceil((dueUs - nowUs()) / US_PER_MS);
      if (waitMs <= 0) break;
      await this.#pause(Math.min(PAUSE_MS_MAX, waitMs));
    }
    this.#turnBeganMs = performance.now();
  }

  /** Only a playing without due times waits for the shards: at a speed it stands for a live market, which would not. */
  #congestionMs(): number {
    return this.#sink.congested() ? CONGESTION_PAUSE_MS : 0;
  }

  /** Ends early, and quietly, when the playing is stopped. */
  async #pause(delayMs: number): Promise<void> {
    await pause(delayMs, undefined, { signal: this.#signal }).catch(() => {});
  }

  #publish(message: unknown, line: { text: string; timeUs: number }, dueUs: number, lineNumber: number): void {
    const publications = this.#normalise(message, line, dueUs, lineNumber);
    if (publications.length === 0) return;
    this.#found += publications.length;
    const step = this.#step;
    if (step?.isOver(dueUs, nowUs())) return step.pass(publications.length);
    for (const publication of publications) {
      this.#counters.published++;
      this.#sink.publish(publication, dueUs, step?.next());
    }
    this.#counters.lastPublicationMs = nowMs();
  }

  #normalise(
    message: unknown,
    line: { text: string; timeUs: number },
    dueUs: number,
    lineNumber: number,
  ): Publication[] {
    try {
      // A recording may begin in the middle of a connection.
      const normaliser = this.#normaliser ?? this.#connectionOpened(line.timeUs);
      return normaliser.normalise(message, line.timeUs, dueUs);
    } catch (thrown) {
      this.#report(lineNumber, `the message cannot be normalised: ${errorMessage(thrown)}`, line.text);
      return [];
    }
  }

  #reject(reader: RecordingReader, reason: string, text = ''): void {
    this.#report(reader.lineNumber, reader.mayBeCut ? `the recording is cut off here: ${reason}` : reason, text);
  }

  #report(line: number, reason: string, text: string): void {
    this.#counters.rejected++;
    const message = `Line ${line} of the recording is not used: ${reason}`;
    const detail: Record<string, unknown> = { line, reason };
    if (text !== '') detail.preview = text.slice(0, PREVIEW_LENGTH);
    this.#sink.reject({ code: 'RECORDING_LINE_INVALID', message, detail });
  }
}

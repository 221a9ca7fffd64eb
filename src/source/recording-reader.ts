import { type FileHandle, open } from 'node:fs/promises';
import { errorMessage, TickcastError } from '../util/errors.ts';
import { LineSplitter } from './line-splitter.ts';

const PIECE_BYTES = 64 * 1024;

/** Longest line of a recording: an order book of many thousand levels comes as one. */
const LINE_BYTES_MAX = 64 * 1024 * 1024;

const US_PER_SECOND = 1_000_000;
/** Ten digits last until 2286, and what is longer no date may be made of. */
const OPENED = /^(wss?:\/\/\S+) <-> (\d{1,10}(?:\.\d+)?)$/;
const SENT = /^(wss?:\/\/\S+) <- (\d{1,10}(?:\.\d+)?): /;
const RECEIVED = /^(\d{1,10}(?:\.\d+)?): /;

/** What a line of a recording says. Times in µs since the epoch. */
export type RecordingLine =
  /** The recorder's connection to `url` opened. */
  | { kind: 'opened'; url: string; timeUs: number }
  /** The recorder sent something: its subscription. */
  | { kind: 'sent'; url: string; timeUs: number }
  /** The exchange sent `text`. */
  | { kind: 'received'; text: string; timeUs: number }
  /** Not in the format. */
  | { kind: 'unreadable'; reason: string };

/**
 * Reads one line of a recording:
 *
 *     wss://HOST/PATH <-> SECONDS
 *     wss://HOST/PATH <- SECONDS: TEXT
 *     SECONDS: TEXT
 *
 * with SECONDS since the epoch, fractional.
 */
export function parseRecordingLine(line: string): RecordingLine {
  const received = RECEIVED.exec(line);
  if (received !== null) {
    return { kind: 'received', text: line.slice(received[0].length), timeUs: microseconds(received[1] as string) };
  }
  const opened = OPENED.exec(line);
  if (opened !== null) return { kind: 'opened', url: opened[1] as string, timeUs: microseconds(opened[2] as string) };
  const sent = SENT.exec(line);
  if (sent !== null) return { kind: 'sent', url: sent[1] as string, timeUs: microseconds(sent[2] as string) };
  return { kind: 'unreadable', reason: 'the line has none of the three forms' };
}

function microseconds(seconds: string): number {
  return Math.round(Number(seconds) * US_PER_SECOND);
}

/**
 * Reads a recording piece by piece, never more of it in memory than a piece and a line. Pulled: `next` until it has
 * nothing, then `read`, until that is undefined.
 */
export class RecordingReader {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  readonly #splitter = new LineSplitter(LINE_BYTES_MAX);
  #ended = false;

  private constructor(file: string, handle: FileHandle) {
    this.#file = file;
    this.#handle = handle;
  }

  /** @throws TickcastError RECORDING_UNREADABLE */
  static async open(file: string): Promise<RecordingReader> {
    const handle = await open(file).catch((thrown: unknown) => refuse(file, thrown));
    return new RecordingReader(file, handle);
  }

  /** Number of the line that `next` returned, from 1. */
  get lineNumber(): number {
    return this.#splitter.lineNumber;
  }

  /** True where the line that `next` returned is the last and has no end: the recorder may have stopped within it. */
  get mayBeCut(): boolean {
    return !this.#splitter.terminated;
  }

  /** The next line that is not empty; undefined when more has to be read. */
  next(): RecordingLine | undefined {
    const verdict = this.#splitter.next();
    if (verdict === 'none') return undefined;
    if (verdict === 'line') return parseRecordingLine(this.#splitter.text);
    const reason = verdict === 'tooLong' ? `the line is longer than ${LINE_BYTES_MAX} bytes` : 'the line is not UTF-8';
    return { kind: 'unreadable', reason };
  }

  /**
   * Reads a piece. Only when `next` has nothing.
   * @returns bytes read; 0 at the end of the file, where `next` may have one more line; undefined after that
   * @throws TickcastError RECORDING_UNREADABLE
   */
  async read(): Promise<number | undefined> {
    if (this.#ended) return undefined;
    const reading = this.#handle.read(this.#piece, 0, PIECE_BYTES);
    const { bytesRead } = await reading.catch((thrown: unknown) => refuse(this.#file, thrown));
    if (bytesRead > 0) {
      this.#splitter.push(this.#piece.subarray(0, bytesRead));
    } else {
      this.#ended = true;
      this.#splitter.end();
    }
    return bytesRead;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function refuse(file: string, thrown: unknown): never {
  const message = `Cannot read the recording ${file}: ${errorMessage(thrown)}`;
  throw new TickcastError('RECORDING_UNREADABLE', message, { file }, thrown);
}

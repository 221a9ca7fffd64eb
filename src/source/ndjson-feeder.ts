import type { Readable } from 'node:stream';
import type { Publication } from '../dataflow/publication.ts';
import { PublicationText } from '../dataflow/publication-text.ts';
import { type ErrorCode, errorMessage } from '../util/errors.ts';
import { LineSplitter } from './line-splitter.ts';

const BYTE_ORDER_MARK = '\ufeff';

/** Characters of a bad line that are told. */
const PREVIEW_LENGTH = 80;

/** Pipes and sockets keep the process alive, even paused: they read ahead. */
interface Holding {
  ref?(): void;
  unref?(): void;
}

/** What a feeder tells its source. */
export interface FeederEvents {
  read(bytes: number): void;
  /** There are lines to take, or the end to notice: call `takeLines` until it is `idle` or `ended`. */
  ready(feeder: NdjsonFeeder): void;
  /** Whether lines may come by `publishText`. */
  takesTexts(): boolean;
  publish(publication: Publication): void;
  /** A line that need not be parsed. The object is used anew afterwards. */
  publishText(text: PublicationText): void;
  /** Whether what has been published is enough for the moment. */
  congested(): boolean;
  reject(code: ErrorCode, message: string, detail: Record<string, unknown>): void;
}

/**
 * One stream of lines, each a JSON object. Reads a piece, pauses, and reads on when the source has taken its lines: what
 * is not taken stays in the pipe, and in time holds up the writer.
 */
export class NdjsonFeeder {
  /** From 1, in the order in which feeders came; tells them apart in the log. */
  readonly number: number;
  readonly #stream: Readable & Holding;
  readonly #splitter: LineSplitter;
  readonly #events: FeederEvents;
  readonly #text = new PublicationText();
  #ended = false;
  #closed = false;

  constructor(stream: Readable, number: number, lineBytesMax: number, events: FeederEvents) {
    this.number = number;
    this.#stream = stream;
    this.#splitter = new LineSplitter(lineBytesMax);
    this.#events = events;
  }

  /** Begins to read. */
  open(): void {
    this.#stream.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onEnd).on('error', this.#onEnd);
    if (this.#stream.readableEnded || this.#stream.destroyed) this.#onEnd();
    else this.#stream.resume();
    this.#stream.ref?.();
  }

  /** Ends reading at once; lines that were not taken are lost. The stream is its owner's, to close and to mind its errors. */
  close(): void {
    this.#stream.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd).off('error', this.#onEnd);
    this.#stream.pause();
    this.#stream.unref?.();
    this.#ended = true;
    this.#closed = true;
  }

  /**
   * Publishes up to `limit` lines, fewer where the gateway cannot take more: a few long ones may be half of its ring.
   * @returns `more`: there may be more of them; `idle`: none until more is read; `ended`: there will be no more
   */
  takeLines(limit: number): 'more' | 'idle' | 'ended' {
    const text = this.#events.takesTexts() ? this.#text : undefined;
    for (let line = 0; line < limit && !this.#closed; line++) {
      if (line > 0 && this.#events.congested()) break;
      const verdict = this.#splitter.next(text);
      if (verdict === 'none') return this.#afterLast();
      if (verdict === 'text') this.#events.publishText(this.#text);
      else if (verdict === 'line') this.#takeLine(this.#splitter.text);
      else if (verdict === 'tooLong') this.#reject('SOURCE_LINE_TOO_LONG', 'the line is too long');
      else this.#reject('SOURCE_LINE_INVALID', 'the line is not UTF-8');
    }
    return 'more';
  }

  #afterLast(): 'idle' | 'ended' {
    if (this.#ended) return 'ended';
    this.#stream.resume();
    return 'idle';
  }

  #takeLine(text: string): void {
    const first = this.#splitter.lineNumber === 1 && text.startsWith(BYTE_ORDER_MARK);
    const json = first ? text.slice(1) : text;
    let parsed: unknown;
    try {
      parsed = JSON.parse(json);
    } catch (thrown) {
      if (json.trim() !== '') this.#reject('SOURCE_LINE_INVALID', errorMessage(thrown), json);
      return;
    }
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      this.#events.publish(parsed as Publication);
    } else {
      this.#reject('SOURCE_LINE_INVALID', 'the line is JSON, but not an object', json);
    }
  }

  #reject(code: ErrorCode, reason: string, text = ''): void {
    const line = this.#splitter.lineNumber;
    const detail: Record<string, unknown> = { feeder: this.number, line, reason };
    if (text !== '') detail.preview = text.slice(0, PREVIEW_LENGTH);
    this.#events.reject(code, `Line ${line} of feeder ${this.number} is not used: ${reason}`, detail);
  }

  readonly #onData = (piece: Buffer): void => {
    this.#stream.pause();
    this.#splitter.push(piece);
    this.#events.read(piece.length);
    this.#events.ready(this);
  };

  /** Comes once or several times, by 'end', 'error' and 'close'. */
  readonly #onEnd = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    this.#splitter.end();
    this.#events.ready(this);
  };
}

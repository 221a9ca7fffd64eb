import { isUtf8 } from 'node:buffer';
import { assert } from '../util/assert.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Room for a line that comes in pieces: this much to begin with, and as much is kept from one line to the next. */
const HELD_BYTES_KEPT = 4_096;

/** What `next()` found. `none`: nothing until more bytes come. */
export type LineVerdict = 'none' | 'line' | 'tooLong' | 'invalidUtf8';

/**
 * Cuts a stream of bytes into lines, whatever pieces it comes in: the same bytes give the same lines. A line ends at LF or
 * CRLF; empty lines are counted and passed over. Holds at most twice `lineBytesMax` and a piece, since the rest of a
 * line that is too long is thrown away as it comes.
 *
 * Pulled, not pushed, so that whoever reads can stop between two lines: `push` a piece, then `next` until `none`.
 */
export class LineSplitter {
  readonly #lineBytesMax: number;
  #piece: Buffer = Buffer.alloc(0);
  #offset = 0;
  #held: Buffer = Buffer.alloc(0);
  #heldBytes = 0;
  #skipping = false;
  #ended = false;
  #text = '';
  #lineNumber = 0;
  #terminated = true;

  /** @param lineBytesMax longest line, without its end */
  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** The line that `next` found; empty for a verdict other than `line`. */
  get text(): string {
    return this.#text;
  }

  /** Number of the line that `next` found, from 1. */
  get lineNumber(): number {
    return this.#lineNumber;
  }

  /** False where the `line` or `invalidUtf8` that `next` found was ended by the end of the stream. */
  get terminated(): boolean {
    return this.#terminated;
  }

  /** Takes a piece, which nobody may write to until `next` has said `none`. Only after `next` has said so before. */
  push(piece: Buffer): void {
    assert(this.#offset === this.#piece.length && !this.#ended, 'a piece is pushed when the one before has been read');
    this.#piece = piece;
    this.#offset = 0;
  }

  /** The stream has ended: `next` gives the line that has no end, if there is one. */
  end(): void {
    this.#ended = true;
  }

  /** Goes on to the next line that is not empty. */
  next(): LineVerdict {
    this.#text = '';
    for (;;) {
      const lineFeed = this.#piece.indexOf(LINE_FEED, this.#offset);
      if (lineFeed === -1) return this.#keepRest();
      const rest = this.#piece.subarray(this.#offset, lineFeed);
      this.#offset = lineFeed + 1;
      const verdict = this.#finish(rest, true);
      if (verdict !== 'none') return verdict;
    }
  }

  /** What is left of the piece is the beginning of a line, or its middle. */
  #keepRest(): LineVerdict {
    const rest = this.#piece.subarray(this.#offset);
    this.#offset = this.#piece.length;
    if (this.#ended) return this.#finishLast(rest);
    if (rest.length === 0 || this.#skipping) return 'none';
    if (this.#outgrows(rest)) {
      this.#drop();
      this.#skipping = true;
      return this.#found('tooLong', true);
    }
    this.#hold(rest);
    return 'none';
  }

  #finishLast(rest: Buffer): LineVerdict {
    if (this.#heldBytes + rest.length === 0) return 'none';
    return this.#finish(rest, false);
  }

  /** @returns `none` for a line that is empty, or has been reported as too long already */
  #finish(rest: Buffer, terminated: boolean): LineVerdict {
    if (this.#skipping) {
      this.#skipping = false;
      return 'none';
    }
    const line = this.#whole(rest);
    const length = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length;
    if (length > this.#lineBytesMax) return this.#found('tooLong', true);
    if (length === 0) {
      this.#lineNumber++;
      return 'none';
    }
    const content = line.subarray(0, length);
    if (!isUtf8(content)) return this.#found('invalidUtf8', terminated);
    this.#text = content.toString('utf8');
    return this.#found('line', terminated);
  }

  /** One byte over the limit is no more than the CR of a CRLF, as long as it may still be one. */
  #outgrows(rest: Buffer): boolean {
    const bytes = this.#heldBytes + rest.length;
    if (bytes <= this.#lineBytesMax) return false;
    return bytes > this.#lineBytesMax + 1 || rest.at(-1) !== CARRIAGE_RETURN;
  }

  #found(verdict: LineVerdict, terminated: boolean): LineVerdict {
    this.#lineNumber++;
    this.#terminated = terminated;
    return verdict;
  }

  /** The line that `rest` completes; valid until the next piece is held. */
  #whole(rest: Buffer): Buffer {
    if (this.#heldBytes === 0) return rest;
    this.#hold(rest);
    const line = this.#held.subarray(0, this.#heldBytes);
    this.#drop();
    return line;
  }

  /** Copies: a line that trickles in byte by byte must not keep a piece alive for each. */
  #hold(rest: Buffer): void {
    const bytes = this.#heldBytes + rest.length;
    if (bytes > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(HELD_BYTES_KEPT, 2 * this.#held.length, bytes));
      this.#held.copy(grown, 0, 0, this.#heldBytes);
      this.#held = grown;
    }
    rest.copy(this.#held, this.#heldBytes);
    this.#heldBytes = bytes;
  }

  #drop(): void {
    this.#heldBytes = 0;
    if (this.#held.length > HELD_BYTES_KEPT) this.#held = Buffer.alloc(0);
  }
}

import { isUtf8 } from 'node:buffer';
import { assert } from '../util/assert.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Room for a line that comes in pieces: this much to begin with, and as much is kept from one line to the next. */
const HELD_BYTES_KEPT = 4_096;

/** What `next()` found. `none`: nothing until more bytes come. `text`: a line that a scan has taken. */
export type LineVerdict = 'none' | 'line' | 'text' | 'tooLong' | 'invalidUtf8';

/** Looks at a line where it stands, and may take it as it is; see PublicationText.scan. */
export interface LineScan {
  scan(bytes: Buffer, at: number): number;
}

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
  /** Of the last one in the piece; -1 for none. */
  #lineFeed = -1;
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
    this.#lineFeed = piece.lastIndexOf(LINE_FEED);
  }

  /** The stream has ended: `next` gives the line that has no end, if there is one. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Goes on to the next line that is not empty.
   * @param scan where it takes the line, that is all that is done with it: `text` stays empty, and the bytes that the scan has
   *   seen are good until the next call
   */
  next(scan?: LineScan): LineVerdict {
    this.#text = '';
    for (;;) {
      if (scan !== undefined && this.#takesInPlace(scan)) return this.#found('text', true);
      const lineFeed = this.#piece.indexOf(LINE_FEED, this.#offset);
      if (lineFeed === -1) return this.#keepRest(scan);
      const rest = this.#piece.subarray(this.#offset, lineFeed);
      this.#offset = lineFeed + 1;
      const verdict = this.#finish(rest, true, scan);
      if (verdict !== 'none') return verdict;
    }
  }

  /** Nearly all lines of a feed: whole in the piece, and taken. Then their end is found by the scan alone. */
  #takesInPlace(scan: LineScan): boolean {
    if (this.#offset > this.#lineFeed || this.#heldBytes > 0 || this.#skipping) return false;
    const lineFeed = scan.scan(this.#piece, this.#offset);
    if (lineFeed < 0 || lineFeed - this.#offset > this.#lineBytesMax) return false;
    this.#offset = lineFeed + 1;
    return true;
  }

  /** What is left of the piece is the beginning of a line, or its middle. */
  #keepRest(scan: LineScan | undefined): LineVerdict {
    const rest = this.#piece.subarray(this.#offset);
    this.#offset = this.#piece.length;
    if (this.#ended) return this.#finishLast(rest, scan);
    if (rest.length === 0 || this.#skipping) return 'none';
    if (this.#outgrows(rest)) {
      this.#drop();
      this.#skipping = true;
      return this.#found('tooLong', true);
    }
    this.#hold(rest);
    return 'none';
  }

  #finishLast(rest: Buffer, scan: LineScan | undefined): LineVerdict {
    if (this.#heldBytes + rest.length === 0) return 'none';
    return this.#finish(rest, false, scan);
  }

  /** @returns `none` for a line that is empty, or has been reported as too long already */
  #finish(rest: Buffer, terminated: boolean, scan: LineScan | undefined): LineVerdict {
    if (this.#skipping) {
      this.#skipping = false;
      return 'none';
    }
    const isUnscanned = this.#heldBytes > 0 || !terminated;
    const line = this.#whole(rest);
    const length = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length;
    if (length > this.#lineBytesMax) return this.#found('tooLong', true);
    if (length === 0) {
      this.#lineNumber++;
      return 'none';
    }
    if (isUnscanned && scan !== undefined && scan.scan(withEnd(line), 0) >= 0) return this.#found('text', terminated);
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

/** A copy that ends as a scan needs it. */
function withEnd(line: Buffer): Buffer {
  const copy = Buffer.allocUnsafe(line.length + 1);
  line.copy(copy);
  copy[line.length] = LINE_FEED;
  return copy;
}

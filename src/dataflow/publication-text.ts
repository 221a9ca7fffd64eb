import { isUtf8 } from 'node:buffer';
import type { FieldKeys } from './field-keys.ts';
import {
  BACKSLASH,
  CARRIAGE_RETURN,
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  escapeEnd,
  FALSE,
  isDigit,
  LINE_FEED,
  MINUS,
  NULL,
  numberEnd,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  TRUE,
  wordEnd,
  ZERO,
} from './json-bytes.ts';
import { isNormal } from './normaliser.ts';
import type { Publication } from './publication.ts';
import {
  AT_TOP,
  DATA,
  ELSEWHERE,
  EPOCH,
  EXCHANGE,
  FIELDS,
  IN_DATA,
  INTERVAL,
  RECEIVED_AT,
  SEQ,
  SYMBOL,
  TIMESTAMP,
  TYPE,
} from './text-fields.ts';

const KLINE = Buffer.from('"kline"');
const DEPTH_MAX = 32;
/** Digits of a whole number that is surely told exactly where it is at most MAX_SAFE_INTEGER. */
const SEQ_DIGITS_MAX = 16;

/**
 * A publication as the JSON text that it came as, and where in it the fields stand that the gateway has to know. Runs on the
 * primary thread, for each line of a feed; one object serves one line after another, and is valid until the next `scan`.
 *
 * `scan` only takes what goes out as it came in: an object in the strict grammar of RFC 8259, written without spaces,
 * whose fields say what normalising would make of them. Of everything else, good or bad, it says nothing: that has to be parsed.
 */
export class PublicationText {
  /** Holds the text, in [start, end). Not to be changed, nor kept. */
  bytes: Buffer = NULL;
  start = 0;
  end = 0;
  /** Which fields there are, a bit each. */
  seen = 0;
  /** Where the value of a field stands, quotes included; of fields that were seen. */
  readonly from = new Int32Array(FIELDS);
  readonly to = new Int32Array(FIELDS);
  /** The line's number of its own; 0 where it has none. */
  seq = 0;
  #isAscii = true;
  #lastEpoch = '';

  has(field: number): boolean {
    return (this.seen & (1 << field)) !== 0;
  }

  /**
   * Looks at the line that begins at `at` of `bytes`, which somewhere behind hold a line feed: that ends it, and so the
   * search. Never throws.
   * @returns where that line feed stands, or -1 for a line that has to be parsed
   */
  scan(bytes: Buffer, at: number): number {
    this.bytes = bytes;
    this.start = at;
    this.seen = 0;
    this.#isAscii = true;
    if (bytes[at] !== OPEN_OBJECT) return -1;
    const end = this.#members(at, AT_TOP, 1);
    if (end < 0) return -1;
    this.end = end;
    const lineFeed = bytes[end] === CARRIAGE_RETURN ? end + 1 : end;
    if (bytes[lineFeed] !== LINE_FEED || !this.#isPlain()) return -1;
    return this.#isAscii || isUtf8(bytes.subarray(at, end)) ? lineFeed : -1;
  }

  /** The publication that the text is. */
  parse(): Publication {
    const { bytes, start, end } = this;
    return JSON.parse(bytes.toString('utf8', start, end)) as Publication;
  }

  /** The name of the line's numbering; undefined where it gives none. */
  epoch(): string | undefined {
    if (!this.has(EPOCH)) return undefined;
    if (!this.#saysAgain(this.#lastEpoch)) this.#lastEpoch = this.#written(EPOCH) as string;
    return this.#lastEpoch;
  }

  /**
   * Writes what names the topic, as it stands in the text, so that the same bytes name the same topic.
   * @param into takes all of it, or as much as it has room for
   * @returns the bytes that it takes
   */
  putNames(into: Uint8Array): number {
    let end = this.#putName(EXCHANGE, into, 0);
    end = this.#putName(SYMBOL, into, end);
    end = this.#putName(TYPE, into, end);
    return this.#namesInterval() ? this.#putName(INTERVAL, into, end) : end;
  }

  /**
   * The fields that name the topic, as a publication of nothing else; undefined where normalising would change them, or they
   * are not written in printable ASCII without escapes.
   */
  names(): Publication | undefined {
    const names: Publication = { receivedAt: 0 };
    const exchange = this.#written(EXCHANGE);
    const symbol = this.#written(SYMBOL);
    const type = this.#written(TYPE);
    const interval = this.#namesInterval() ? this.#written(INTERVAL) : undefined;
    if (!isPlainName(exchange) || !isPlainName(symbol) || !isPlainName(type) || !isPlainName(interval))
      return undefined;
    if (exchange !== undefined) names.exchange = exchange;
    if (symbol !== undefined) names.symbol = symbol;
    if (type !== undefined) names.type = type;
    if (interval !== undefined) names.data = { interval };
    return isNormal(names) ? names : undefined;
  }

  #putName(field: number, into: Uint8Array, at: number): number {
    if (!this.has(field)) {
      into[at] = LINE_FEED;
      return at + 1;
    }
    const { bytes } = this;
    const from = this.from[field] as number;
    // The quote in front sets it apart from the name before; the one behind says nothing more.
    const length = (this.to[field] as number) - 1 - from;
    for (let i = 0; i < length; i++) into[at + i] = bytes[from + i] as number;
    return at + length;
  }

  /** Whether this is a kline that says of which interval. */
  #namesInterval(): boolean {
    if (!this.has(INTERVAL) || this.bytes[this.from[INTERVAL] as number] !== QUOTE || !this.has(TYPE)) return false;
    const { bytes } = this;
    const from = this.from[TYPE] as number;
    if ((this.to[TYPE] as number) - from !== KLINE.length) return false;
    for (let i = 0; i < KLINE.length; i++) if (bytes[from + i] !== KLINE[i]) return false;
    return true;
  }

  /** What stands between the quotes of a field that is a string, as it is written; undefined where there is no such field. */
  #written(field: number): string | undefined {
    if (!this.has(field)) return undefined;
    const { bytes } = this;
    return bytes.toString('utf8', (this.from[field] as number) + 1, (this.to[field] as number) - 1);
  }

  /** Whether the `epoch` is the ASCII text that the last one was: it hardly ever changes. */
  #saysAgain(text: string): boolean {
    const from = (this.from[EPOCH] as number) + 1;
    if ((this.to[EPOCH] as number) - 1 - from !== text.length) return false;
    for (let i = 0; i < text.length; i++) if (this.bytes[from + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** Whether the fields are written as normalising leaves them, but for the names of the topic: see `names`. */
  #isPlain(): boolean {
    const { bytes, from } = this;
    if (!this.#isAbsentOrString(EXCHANGE) || !this.#isAbsentOrString(SYMBOL) || !this.#isAbsentOrString(TYPE))
      return false;
    if (this.has(RECEIVED_AT) && bytes[from[RECEIVED_AT] as number] === NULL[0]) return false;
    if (this.has(TIMESTAMP) && bytes[from[TIMESTAMP] as number] === QUOTE && !this.#isDate()) return false;
    this.seq = this.has(SEQ) ? this.#wholeNumber() : 0;
    return this.seq >= 0 && (!this.has(EPOCH) || this.#isUnescaped(EPOCH));
  }

  #isUnescaped(field: number): boolean {
    if (!this.#isAbsentOrString(field)) return false;
    const to = this.to[field] as number;
    for (let at = this.from[field] as number; at < to; at++) if (this.bytes[at] === BACKSLASH) return false;
    return true;
  }

  #isAbsentOrString(field: number): boolean {
    return !this.has(field) || this.bytes[this.from[field] as number] === QUOTE;
  }

  /** Whether the timestamp begins with a year and a hyphen. A string that does is no number. */
  #isDate(): boolean {
    const { bytes } = this;
    const year = (this.from[TIMESTAMP] as number) + 1;
    for (let at = year; at < year + 4; at++) if (!isDigit(bytes[at] as number)) return false;
    return bytes[year + 4] === MINUS;
  }

  /** The line's `seq`; -1 where it is no whole number above 0 that a double holds. */
  #wholeNumber(): number {
    const { bytes } = this;
    const from = this.from[SEQ] as number;
    const to = this.to[SEQ] as number;
    if (to - from > SEQ_DIGITS_MAX) return -1;
    let value = 0;
    for (let at = from; at < to; at++) {
      if (!isDigit(bytes[at] as number)) return -1;
      value = value * 10 + ((bytes[at] as number) - ZERO);
    }
    return value > 0 && value <= Number.MAX_SAFE_INTEGER ? value : -1;
  }

  /** The object at `at`. Returns where it has ended; -1, here and below, for what has to be parsed. */
  #members(at: number, keys: FieldKeys, depth: number): number {
    const { bytes } = this;
    if (bytes[at + 1] === CLOSE_OBJECT) return at + 2;
    for (;;) {
      if (bytes[++at] !== QUOTE) return -1;
      const keyFrom = at + 1;
      at = this.#key(keyFrom);
      if (at < 0 || bytes[at + 1] !== COLON) return -1;
      const field = keys.find(bytes, keyFrom, at);
      const from = at + 2;
      at = field === DATA && bytes[from] === OPEN_OBJECT ? this.#members(from, IN_DATA, 2) : this.#value(from, depth);
      if (at < 0) return -1;
      if (field >= 0 && !this.#keep(field, from, at)) return -1;
      const next = bytes[at];
      if (next === CLOSE_OBJECT) return at + 1;
      if (next !== COMMA) return -1;
    }
  }

  /** Returns false where the field has been there before. */
  #keep(field: number, from: number, to: number): boolean {
    if (this.has(field)) return false;
    this.seen |= 1 << field;
    this.from[field] = from;
    this.to[field] = to;
    return true;
  }

  #items(at: number, depth: number): number {
    const { bytes } = this;
    if (bytes[at + 1] === CLOSE_LIST) return at + 2;
    for (;;) {
      at = this.#value(at + 1, depth);
      if (at < 0) return -1;
      const next = bytes[at];
      if (next === CLOSE_LIST) return at + 1;
      if (next !== COMMA) return -1;
    }
  }

  #value(at: number, depth: number): number {
    const { bytes } = this;
    switch (bytes[at]) {
      case QUOTE:
        return this.#string(at + 1);
      case OPEN_OBJECT:
        return depth < DEPTH_MAX ? this.#members(at, ELSEWHERE, depth + 1) : -1;
      case OPEN_LIST:
        return depth < DEPTH_MAX ? this.#items(at, depth + 1) : -1;
      case TRUE[0]:
        return wordEnd(bytes, at, TRUE);
      case FALSE[0]:
        return wordEnd(bytes, at, FALSE);
      case NULL[0]:
        return wordEnd(bytes, at, NULL);
      default:
        return numberEnd(bytes, at);
    }
  }

  /** Of the key that begins at `at` the closing quote. One with an escape has to be parsed: it may be any. */
  #key(at: number): number {
    const { bytes } = this;
    let all = 0;
    for (;;) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) break;
      if (byte < 0x20 || byte === BACKSLASH) return -1;
      all |= byte;
      at++;
    }
    if (all >= 0x80) this.#isAscii = false;
    return at;
  }

  #string(at: number): number {
    const { bytes } = this;
    let all = 0;
    for (;;) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) break;
      if (byte < 0x20) return -1;
      all |= byte;
      at++;
      if (byte !== BACKSLASH) continue;
      at = escapeEnd(bytes, at);
      if (at < 0) return -1;
    }
    if (all >= 0x80) this.#isAscii = false;
    return at + 1;
  }
}

function isPlainName(name: string | undefined): boolean {
  return name === undefined || /^[ -[\]-~]*$/.test(name);
}

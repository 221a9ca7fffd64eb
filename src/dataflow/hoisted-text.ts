import { putBytes, putText } from '../util/ascii.ts';
import { DOT, MINUS, NINE, QUOTE, ZERO } from './json-bytes.ts';
import type { PublicationText } from './publication-text.ts';
import {
  C,
  CHANGE_24H,
  CHANGE_PERCENT,
  LAST_PRICE,
  M,
  P,
  PERCENT,
  PRICE,
  Q,
  QUANTITY,
  SIDE,
  TOP_CHANGE,
  TOP_PRICE,
  TOP_SIDE,
  TOP_VOLUME,
  V,
  VOLUME,
  VOLUME_24H,
} from './text-fields.ts';

const PRICE_KEY = Buffer.from(',"price":');
const VOLUME_KEY = Buffer.from(',"volume":');
const SIDE_KEY = Buffer.from(',"side":');
const CHANGE_KEY = Buffer.from(',"change24h":');
const BUY = Buffer.from('"buy"');
const SELL = Buffer.from('"sell"');

const LETTER_T = 0x74;
const LETTER_F = 0x66;

/** Digits that every double of so many tells apart: a number of no more is printed with the same. */
const DIGITS_EXACT = 15;
/** Zeros behind the point from which on a number is printed with an exponent. */
const SMALL_ZEROS = 6;

/**
 * What `hoistedFields` gives for the publication that `text` is, written into `into` at `at`.
 * @param type as the publication names it
 * @returns the offset behind it; `at` where there is nothing. There has to be room for the text once more, and
 *   for three keys and numbers.
 */
export function putHoisted(text: PublicationText, type: string | null, into: Uint8Array, at: number): number {
  if (type === 'trade') return putTrade(text, into, at);
  return type === 'ticker' ? putTicker(text, into, at) : at;
}

function putTrade(text: PublicationText, into: Uint8Array, at: number): number {
  let end = at;
  if (!text.has(TOP_PRICE)) end = putMember(text, PRICE_KEY, firstOf(text, PRICE, P, P), into, end);
  if (!text.has(TOP_VOLUME)) end = putMember(text, VOLUME_KEY, firstOf(text, QUANTITY, VOLUME, Q), into, end);
  return text.has(TOP_SIDE) ? end : putSide(text, into, end);
}

function putTicker(text: PublicationText, into: Uint8Array, at: number): number {
  let end = at;
  if (!text.has(TOP_PRICE)) end = putMember(text, PRICE_KEY, firstOf(text, LAST_PRICE, PRICE, C), into, end);
  if (!text.has(TOP_VOLUME)) end = putMember(text, VOLUME_KEY, firstOf(text, VOLUME_24H, VOLUME, V), into, end);
  if (text.has(TOP_CHANGE)) return end;
  return putMember(text, CHANGE_KEY, firstOf(text, CHANGE_24H, CHANGE_PERCENT, PERCENT), into, end);
}

/** The first of three fields that is a string or a number; -1 where none is. */
function firstOf(text: PublicationText, first: number, second: number, third: number): number {
  if (isFigure(text, first)) return first;
  if (isFigure(text, second)) return second;
  return isFigure(text, third) ? third : -1;
}

function isFigure(text: PublicationText, field: number): boolean {
  if (!text.has(field)) return false;
  const byte = firstByte(text, field);
  return byte === QUOTE || byte === MINUS || (byte >= ZERO && byte <= NINE);
}

function putSide(text: PublicationText, into: Uint8Array, at: number): number {
  if (text.has(SIDE) && firstByte(text, SIDE) === QUOTE) return putMember(text, SIDE_KEY, SIDE, into, at);
  if (!text.has(M)) return at;
  const byte = firstByte(text, M);
  if (byte !== LETTER_T && byte !== LETTER_F) return at;
  return putBytes(into, putBytes(into, at, SIDE_KEY), byte === LETTER_T ? SELL : BUY);
}

function putMember(text: PublicationText, key: Uint8Array, field: number, into: Uint8Array, at: number): number {
  if (field < 0) return at;
  const { bytes } = text;
  const from = text.from[field] as number;
  const to = text.to[field] as number;
  const value = putBytes(into, at, key);
  if (bytes[from] === QUOTE) return putSpan(bytes, from, to, into, value);
  into[value] = QUOTE;
  const end = isAsPrinted(bytes, from, to)
    ? putSpan(bytes, from, to, into, value + 1)
    : putText(into, value + 1, printed(bytes, from, to));
  into[end] = QUOTE;
  return end + 1;
}

function putSpan(bytes: Uint8Array, from: number, to: number, into: Uint8Array, at: number): number {
  for (let i = from; i < to; i++) into[at + i - from] = bytes[i] as number;
  return at + to - from;
}

function firstByte(text: PublicationText, field: number): number {
  return text.bytes[text.from[field] as number] as number;
}

/** The number as JavaScript prints it. */
function printed(bytes: Buffer, from: number, to: number): string {
  return String(Number(bytes.toString('latin1', from, to)));
}

/** Whether JavaScript prints the number with these very digits; it does so, too, for some where this says no. */
function isAsPrinted(bytes: Uint8Array, from: number, to: number): boolean {
  let whole = from;
  if (bytes[from] === MINUS) whole++;
  if (to - whole > DIGITS_EXACT + 1) return false;
  const isBelowOne = bytes[whole] === ZERO;
  let point = -1;
  for (let at = whole; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte === DOT) point = at;
    else if (byte > NINE || byte < ZERO) return false;
  }
  if (point < 0) return to - whole <= DIGITS_EXACT && (!isBelowOne || whole === from);
  if (bytes[to - 1] === ZERO) return false;
  return !isBelowOne || isLargeEnough(bytes, point + 1, to);
}

function isLargeEnough(bytes: Uint8Array, fraction: number, to: number): boolean {
  const until = Math.min(to, fraction + SMALL_ZEROS);
  for (let at = fraction; at < until; at++) if (bytes[at] !== ZERO) return true;
  return false;
}

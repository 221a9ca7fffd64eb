/**
 * Reads what a generator needs of a JSON message without parsing it: the time it was due, what stands behind a data
 * frame's payload, and what a gap message tells. On bytes, since a generator that parsed JSON would measure itself.
 */
const ZERO = 48;
const QUOTE = 34;
const CLOSING_BRACE = 125;

const MILLISECONDS_MIN = 1e12;
const MICROSECONDS_MIN = 1e15;
const MICROSECONDS_MAX = 1e16;

/** The bytes of `"key":`, to look for with `findTimestampUs`. */
export function keyBytes(key: string): Uint8Array {
  return Buffer.from(`${JSON.stringify(key)}:`);
}

/**
 * The number after the first `key` in `bytes[from..to)`, in µs since the epoch. 13 digits are taken for ms. Returns -1
 * where the key is missing, or what follows it is no such time or is cut off.
 */
export function findTimestampUs(bytes: Uint8Array, from: number, to: number, key: Uint8Array): number {
  const last = to - key.length;
  for (let at = from; at < last; at++) {
    if (bytes[at] !== QUOTE || !matches(bytes, at, key)) continue;
    return toMicroseconds(readDigits(bytes, at + key.length, to));
  }
  return -1;
}

function matches(bytes: Uint8Array, at: number, key: Uint8Array): boolean {
  for (let i = 0; i < key.length; i++) if (bytes[at + i] !== key[i]) return false;
  return true;
}

/** -1 where there is no digit, or the digits run into `to` and may go on. */
function readDigits(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return at === from ? -1 : value;
    value = value * 10 + digit;
  }
  return -1;
}

function toMicroseconds(value: number): number {
  if (value >= MILLISECONDS_MIN && value < MICROSECONDS_MIN / 10) return value * 1000;
  return value >= MICROSECONDS_MIN && value < MICROSECONDS_MAX ? value : -1;
}

/** What a data frame says behind its payload. */
export interface FrameTail {
  seq: number;
  prevSeq: number;
  /** Publications that the frame stands for beside its own; 0 where it does not say. */
  merged: number;
  /** It restates a latest value, and is no delivery. */
  isSnapshot: boolean;
  /** Where to resume from in place of `seq`; -1 where it does not say. */
  resumeSeq: number;
}

export function emptyTail(): FrameTail {
  return { seq: -1, prevSeq: -1, merged: 0, isSnapshot: false, resumeSeq: -1 };
}

const SEQ_KEY = Buffer.from(',"seq":');
const PREV_SEQ_KEY = Buffer.from(',"prevSeq":');
const MERGED_KEY = Buffer.from(',"merged":');
const SNAPSHOT_END = Buffer.from(',"snapshot":true');
const RESUME_SEQ_KEY = Buffer.from(',"resumeSeq":');

/**
 * Reads the end of a data frame, `,"seq":S,"prevSeq":P[,"merged":n][,"snapshot":true][,"resumeSeq":W]}`, into `tail`;
 * backwards, so its cost does not depend on the payload. Returns false for a message that does not end so, such as a
 * reply; `tail` then means nothing.
 */
export function readTail(bytes: Uint8Array, from: number, to: number, tail: FrameTail): boolean {
  if (to - from < 1 || bytes[to - 1] !== CLOSING_BRACE) return false;
  let end = to - 1;
  let at = numberStart(bytes, from, end, RESUME_SEQ_KEY);
  tail.resumeSeq = at < 0 ? -1 : digitsValue(bytes, at, end);
  if (at >= 0) end = at - RESUME_SEQ_KEY.length;
  tail.isSnapshot = endsWith(bytes, from, end, SNAPSHOT_END);
  if (tail.isSnapshot) end -= SNAPSHOT_END.length;
  at = numberStart(bytes, from, end, MERGED_KEY);
  tail.merged = at < 0 ? 0 : digitsValue(bytes, at, end);
  if (at >= 0) end = at - MERGED_KEY.length;
  at = numberStart(bytes, from, end, PREV_SEQ_KEY);
  if (at < 0) return false;
  tail.prevSeq = digitsValue(bytes, at, end);
  end = at - PREV_SEQ_KEY.length;
  at = numberStart(bytes, from, end, SEQ_KEY);
  if (at < 0) return false;
  tail.seq = digitsValue(bytes, at, end);
  return true;
}

/** Where the digits begin that end at `end`, if `key` stands before them; otherwise -1. */
function numberStart(bytes: Uint8Array, from: number, end: number, key: Uint8Array): number {
  let at = end;
  while (at > from && isDigit(bytes[at - 1] as number)) at--;
  return at < end && endsWith(bytes, from, at, key) ? at : -1;
}

function digitsValue(bytes: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at++) value = value * 10 + ((bytes[at] as number) - ZERO);
  return value;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}

function endsWith(bytes: Uint8Array, from: number, end: number, key: Uint8Array): boolean {
  const start = end - key.length;
  return start >= from && matches(bytes, start, key);
}

/** What a gap message tells: `count` publications, the last of them `toSeq`, will not come. */
export interface Gap {
  toSeq: number;
  count: number;
  reason: string;
}

/**
 * Gaps are rare enough to be parsed. `undefined` where the bytes are no gap message, or an excerpt of a long one.
 */
export function readGap(bytes: Uint8Array, from: number, to: number): Gap | undefined {
  try {
    const { toSeq, count, reason } = JSON.parse(Buffer.from(bytes.subarray(from, to)).toString()).payload;
    if (!(Number.isSafeInteger(toSeq) && Number.isSafeInteger(count))) return undefined;
    return { toSeq, count, reason: String(reason) };
  } catch {
    return undefined;
  }
}

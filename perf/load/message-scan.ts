/**
 * Finds two figures in a JSON message without parsing it: the time it was due, and its place in the numbering. Both
 * work on bytes, since a generator that parsed JSON would measure itself.
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
  for (let i = 1; i < key.length; i++) if (bytes[at + i] !== key[i]) return false;
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

const SEQ_KEY = Buffer.from(',"seq":');
const PREV_SEQ_KEY = Buffer.from(',"prevSeq":');

/**
 * The `seq` of a data frame, which ends with `,"seq":S,"prevSeq":P}`; read backwards from the end, so its cost does
 * not depend on the payload. Returns -1 for a message that does not end so, such as a reply.
 */
export function findSequence(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 1 || bytes[to - 1] !== CLOSING_BRACE) return -1;
  const prevSeqAt = startOfDigits(bytes, from, to - 1);
  const seqEnd = prevSeqAt - PREV_SEQ_KEY.length;
  if (prevSeqAt === to - 1 || !endsWith(bytes, from, prevSeqAt, PREV_SEQ_KEY)) return -1;
  const seqAt = startOfDigits(bytes, from, seqEnd);
  if (seqAt === seqEnd || !endsWith(bytes, from, seqAt, SEQ_KEY)) return -1;
  let value = 0;
  for (let at = seqAt; at < seqEnd; at++) value = value * 10 + ((bytes[at] as number) - ZERO);
  return value;
}

function startOfDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = end;
  while (at > from) {
    const digit = (bytes[at - 1] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    at--;
  }
  return at;
}

function endsWith(bytes: Uint8Array, from: number, end: number, key: Uint8Array): boolean {
  const start = end - key.length;
  if (start < from) return false;
  for (let i = 0; i < key.length; i++) if (bytes[start + i] !== key[i]) return false;
  return true;
}

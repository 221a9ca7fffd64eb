/** ASCII text written byte by byte: for a few dozen bytes this is quicker than a call that leaves JavaScript. */

const ZERO = 0x30;
/** Powers of ten up to where arithmetic on 32 bits ends. */
const INT_MAX = 1e9;
const INT_DIGITS = 9;

/** Writes `text` at `at`. Returns the offset behind it. */
export function putBytes(into: Uint8Array, at: number, text: Uint8Array): number {
  for (let i = 0; i < text.length; i++) into[at + i] = text[i] as number;
  return at + text.length;
}

/** As `putBytes`, of a text that is ASCII. */
export function putText(into: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** Writes a whole number from 0 to MAX_SAFE_INTEGER in decimal digits. Returns the offset behind it. */
export function putInteger(into: Uint8Array, at: number, value: number): number {
  if (value < INT_MAX) return putDigits(into, at, value, digitsOf(value));
  const high = Math.floor(value / INT_MAX);
  return putDigits(into, putInteger(into, at, high), value - high * INT_MAX, INT_DIGITS);
}

/** Of a whole number below INT_MAX. */
function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; bound <= value; bound *= 10) digits++;
  return digits;
}

/** Writes the number, below INT_MAX, with zeros in front where it has fewer digits. */
function putDigits(into: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = (rest / 10) | 0;
    into[i] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return at + digits;
}

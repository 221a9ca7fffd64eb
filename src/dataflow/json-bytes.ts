/** JSON (RFC 8259) on bytes: the marks that it is made of, and its smallest parts. They have to be followed by a line feed somewhere. */
export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const DOT = 0x2e;
export const ZERO = 0x30;
export const NINE = 0x39;
export const COLON = 0x3a;
export const BACKSLASH = 0x5c;
export const OPEN_LIST = 0x5b;
export const CLOSE_LIST = 0x5d;
const LETTER_U = 0x75;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

export const TRUE = Buffer.from('true');
export const FALSE = Buffer.from('false');
export const NULL = Buffer.from('null');

/** Letters that may stand behind a backslash, but for the `u`. */
const ESCAPES = Buffer.from('"\\/bfnrt');

/** Longer numbers, and exponents of more than two digits, may be larger than any double, which JSON cannot print. */
const NUMBER_LENGTH_MAX = 64;
const EXPONENT_DIGITS_MAX = 2;

export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** Where the word ends whose first letter stands at `at`; -1, here and below, where it is not that. */
export function wordEnd(bytes: Uint8Array, at: number, word: Uint8Array): number {
  for (let i = 1; i < word.length; i++) if (bytes[at + i] !== word[i]) return -1;
  return at + word.length;
}

/** Where the escape ends that goes on at `at`, behind its backslash. */
export function escapeEnd(bytes: Uint8Array, at: number): number {
  const letter = bytes[at] as number;
  if (letter !== LETTER_U) return ESCAPES.includes(letter) ? at + 1 : -1;
  for (let i = 1; i <= 4; i++) if (!isHex(bytes[at + i] as number)) return -1;
  return at + 5;
}

function isHex(byte: number): boolean {
  const letter = byte | 0x20;
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66);
}

/** Where the number ends that begins at `from`. */
export function numberEnd(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === MINUS ? from + 1 : from;
  const whole = at;
  at = digitsEnd(bytes, at);
  if (at === whole || (bytes[whole] === ZERO && at > whole + 1)) return -1;
  if (bytes[at] === DOT) {
    const fraction = at + 1;
    at = digitsEnd(bytes, fraction);
    if (at === fraction) return -1;
  }
  if (((bytes[at] as number) | 0x20) === 0x65) {
    const sign = bytes[at + 1];
    const exponent = sign === MINUS || sign === 0x2b ? at + 2 : at + 1;
    at = digitsEnd(bytes, exponent);
    if (at === exponent || at - exponent > EXPONENT_DIGITS_MAX) return -1;
  }
  return at - from <= NUMBER_LENGTH_MAX ? at : -1;
}

function digitsEnd(bytes: Uint8Array, at: number): number {
  while (isDigit(bytes[at] as number)) at++;
  return at;
}

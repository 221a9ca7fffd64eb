import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalNumber } from '../../src/delivery/decimal-number.ts';

const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^\\d{0,${maxLength}}$`));
const exponent = fc.integer({ min: -30, max: 30 }).map((power) => `e${power}`);
const decimal = fc
  .tuple(fc.constantFrom('', '', '-', '+'), digits(12), fc.constantFrom('', '.'), digits(12), fc.option(exponent))
  .filter(([, whole, point, part]) => whole !== '' || (point === '.' && part !== ''))
  .map(([sign, whole, point, part, power]) => `${sign}${whole}${point}${part}${power ?? ''}`);

describe('decimalNumber', () => {
  it('makes the very number that Number makes', () => {
    fc.assert(
      fc.property(decimal, (text) => {
        expect(decimalNumber(text)).toBe(Number(text));
      }),
      { numRuns: 5_000 },
    );
  });

  it('reads back every number that JSON writes', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = JSON.stringify(value);
        expect(decimalNumber(text)).toBe(Number(text));
      }),
    );
  });

  it.each([
    '',
    '.',
    '..',
    '-',
    '+.',
    ' 1',
    '1 ',
    '\t',
    '0x10',
    '0b1',
    '1_000',
    '1,5',
    '1.2.3',
    '1e',
    '1e1.5',
    'e5',
    '1n',
  ])('makes no number of "%s"', (text) => {
    expect(decimalNumber(text)).toBeNaN();
  });

  it.each(['NaN', 'Infinity', '-Infinity', 'null', 'abc', '١'])('makes no number of words: %s', (text) => {
    expect(decimalNumber(text)).toBeNaN();
  });
});

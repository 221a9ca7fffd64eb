import { describe, expect, it } from 'vitest';
import { allowanceText, isAllowed, readAllowance } from '../../src/compare/allowance.ts';

describe('an allowance', () => {
  it.each([
    ['0', 0, 1_000, true],
    ['0', 1, 1_000, false],
    ['5', 5, 10, true],
    ['5', 6, 1_000_000, false],
    ['0.1%', 1, 1_000, true],
    ['0.1%', 2, 1_999, false],
    ['0.1%', 2, 2_000, true],
    ['0%', 0, 0, true],
    ['100%', 7, 7, true],
  ])('of %s for %i of %i: %s', (text, found, total, isIn) => {
    const allowance = readAllowance(text);
    expect(isAllowed(allowance, found, total)).toBe(isIn);
    expect(allowanceText(allowance)).toBe(text);
  });
});

import { describe, expect, it } from 'vitest';
import { fitNonNegative } from '../../perf/lib/least-squares.ts';

const ROWS = [
  [1, 100, 1],
  [2, 900, 1],
  [5, 50, 1],
  [9, 700, 1],
  [4, 400, 1],
  [7, 20, 1],
];
const EVEN = ROWS.map(() => 1);
const valuesBy = (a: number, b: number, c: number) => ROWS.map(([x = 0, y = 0, z = 0]) => a * x + b * y + c * z);

describe('fitNonNegative', () => {
  it('finds the coefficients that the values were made from, without error', () => {
    const { coefficients, errors, rSquared } = fitNonNegative(ROWS, valuesBy(3, 0.02, 5), EVEN);
    for (const [n, expected] of [3, 0.02, 5].entries()) expect(coefficients[n]).toBeCloseTo(expected, 8);
    for (const error of errors) expect(error).toBeCloseTo(0, 6);
    expect(rSquared).toBeCloseTo(1, 10);
  });

  it('tells the standard error that two repeated measurements leave', () => {
    // A single coefficient: the mean of 1 and 3 is 2, its error the standard deviation √2 over √2.
    const { coefficients, errors } = fitNonNegative([[1], [1]], [1, 3], [1, 1]);
    expect(coefficients[0]).toBeCloseTo(2, 10);
    expect(errors[0]).toBeCloseTo(1, 10);
  });

  it('leaves out what would cost less than nothing', () => {
    const { coefficients, errors } = fitNonNegative(ROWS, valuesBy(3, -0.02, 50), EVEN);
    expect(coefficients[1]).toBe(0);
    expect(errors[1]).toBe(0);
    expect(coefficients[0]).toBeGreaterThanOrEqual(0);
    expect(coefficients[2]).toBeGreaterThan(0);
  });

  it('goes by what weighs more', () => {
    const rows = [[1], [1]];
    expect(fitNonNegative(rows, [1, 3], [3, 1]).coefficients[0]).toBeCloseTo(1.5, 10);
  });

  it('leaves out a feature that is always a multiple of another, or always nothing', () => {
    const rows = ROWS.map(([x = 0, y = 0]) => [x, y, 3 * x, 0]);
    const { coefficients } = fitNonNegative(rows, valuesBy(3, 0.02, 0), EVEN);
    expect(coefficients[0]).toBeCloseTo(3, 6);
    expect(coefficients[1]).toBeCloseTo(0.02, 6);
    expect(coefficients.slice(2)).toEqual([0, 0]);
  });
});

import { describe, expect, it } from 'vitest';
import { medianOf, msOf, ratioOf } from '../../perf/lib/figures.ts';

describe('figures', () => {
  it('takes the one in the middle, the lower of two', () => {
    expect(medianOf([3, 1, 2])).toBe(2);
    expect(medianOf([4, 10, 1, 3])).toBe(3);
    expect(medianOf([])).toBe(0);
  });

  it('divides by nothing to 0', () => {
    expect([ratioOf(1, 3), ratioOf(5, 0)]).toEqual([0.333, 0]);
  });

  it('turns µs into ms', () => {
    expect(msOf(12_345)).toBe(12.35);
  });
});

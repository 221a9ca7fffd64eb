import { describe, expect, it } from 'vitest';
import { Random } from '../../src/source/random.ts';

const words = (seed: number, count: number) => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.nextWord());
};

describe('Random', () => {
  it('repeats itself for the same seed and not for another', () => {
    expect(words(7, 100)).toEqual(words(7, 100));
    expect(words(7, 100)).not.toEqual(words(8, 100));
  });

  it('gives 32-bit words that do not repeat soon, for seed 0 too', () => {
    const some = words(0, 10_000);
    expect(some.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32)).toBe(true);
    expect(new Set(some).size).toBeGreaterThan(9_990);
  });

  it('spreads evenly below a limit', () => {
    const random = new Random(1);
    const counts = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 100_000; draw++) counts[random.below(10)]!++;
    expect(Math.min(...counts)).toBeGreaterThan(9_500);
    expect(Math.max(...counts)).toBeLessThan(10_500);
  });
});

import { describe, expect, it } from 'vitest';
import { BackOff } from '../../src/util/back-off.ts';

describe('BackOff', () => {
  it('doubles with each failure, up to the longest pause', () => {
    const backOff = new BackOff(100, 1_000, 60_000);
    expect([0, 1, 2, 3, 4, 5, 6].map((second) => backOff.failed(second * 1_000))).toEqual([
      100, 200, 400, 800, 1_000, 1_000, 1_000,
    ]);
  });

  it('stays at the longest pause however many failures there are', () => {
    const backOff = new BackOff(100, 1_000, 60_000);
    for (let i = 0; i < 5_000; i++) backOff.failed(i);
    expect(backOff.failed(5_000)).toBe(1_000);
  });

  it('starts anew after a quiet while, and not sooner', () => {
    const backOff = new BackOff(100, 1_000, 60_000);
    backOff.failed(0);
    expect(backOff.failed(60_000)).toBe(200);
    expect(backOff.failed(120_001)).toBe(100);
  });

  it('counts the first failure as the first on a clock that has just begun', () => {
    expect(new BackOff(100, 1_000, 60_000).failed(0)).toBe(100);
  });

  it('never pauses longer than the longest, even the first time', () => {
    expect(new BackOff(5_000, 1_000, 60_000).failed(0)).toBe(1_000);
  });
});

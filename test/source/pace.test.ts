import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/source/pace.ts';

const START_US = 1_700_000_000_000_000;

function take(pace: Pace, count: number): number[] {
  return Array.from({ length: count }, () => {
    const dueUs = pace.dueUs();
    pace.advance();
    return dueUs - START_US;
  });
}

describe('Pace', () => {
  it('spaces due times evenly', () => {
    expect(take(new Pace(1_000, START_US), 4)).toEqual([0, 1_000, 2_000, 3_000]);
  });

  it('adds up no rounding where the spacing is no whole number of microseconds', () => {
    const dues = take(new Pace(300_000, START_US), 300_001);
    expect(dues.at(-1)).toBe(1_000_000);
    expect(dues.every((dueUs, index) => Math.abs(dueUs - index / 0.3) <= 0.5)).toBe(true);
  });

  it('keeps up to a second of missed due times', () => {
    const pace = new Pace(100, START_US);
    pace.align(START_US + 1_000_000);
    expect(pace.skipped).toBe(0);
    expect(pace.dueUs()).toBe(START_US);
  });

  it('gives up and counts what was missed more than a second ago, and stays on its grid', () => {
    const pace = new Pace(100, START_US);
    pace.align(START_US + 3_500_000);
    expect(pace.skipped).toBe(250);
    expect(pace.dueUs()).toBe(START_US + 2_500_000);
  });

  it('begins again when the clock was set back', () => {
    const pace = new Pace(100, START_US);
    take(pace, 10);
    pace.align(START_US - 3_600_000_000);
    expect(pace.dueUs()).toBe(START_US - 3_600_000_000);
    expect(pace.skipped).toBe(0);
  });

  it('waits for a due time that is far ahead because the rate is low', () => {
    const pace = new Pace(0.01, START_US);
    take(pace, 1);
    pace.align(START_US + 1);
    expect(pace.dueUs()).toBe(START_US + 100_000_000);
  });
});

import { describe, expect, it } from 'vitest';
import { commonTrend, floorsOf, type TrendPoint } from '../../perf/lib/trend.ts';
import { SeededRandom } from '../support/seeded-random.ts';

/** Values at one-second intervals. */
function stretch(beginS: number, length: number, of: (s: number) => number): TrendPoint[] {
  return Array.from({ length }, (_, s) => ({ atS: beginS + s, value: of(s) }));
}

describe('commonTrend', () => {
  it('finds the slope that stretches at different levels have in common', () => {
    const trend = commonTrend([stretch(0, 10, (s) => 100 + 0.5 * s), stretch(50, 20, (s) => 7 + 0.5 * s)]);
    expect(trend?.perHour).toBeCloseTo(1_800);
    expect(trend?.marginPerHour).toBeCloseTo(0);
    expect(trend).toMatchObject({ points: 30, stretches: 2, secondsMax: 19 });
  });

  it('finds none where only the levels differ', () => {
    expect(commonTrend([stretch(0, 5, () => 10), stretch(10, 5, () => 20)])?.perHour).toBe(0);
  });

  it.each([4, 6, 40])('knows how far its slope may be off, by %i points', (length) => {
    const random = new SeededRandom(3);
    let within = 0;
    for (let run = 0; run < 1_000; run++) {
      const noisy = stretch(0, length, (s) => 50 + 0.01 * s + (random.below(1_000) / 1_000 - 0.5));
      const { perHour = 0, marginPerHour = 0 } = commonTrend([noisy]) ?? {};
      if (Math.abs(perHour - 36) < marginPerHour) within++;
    }
    expect(within / 1_000).toBeGreaterThan(0.92);
    expect(within / 1_000).toBeLessThan(0.98);
  });

  it('says nothing of too little', () => {
    expect(commonTrend([])).toBeUndefined();
    expect(commonTrend([stretch(0, 2, (s) => s), stretch(5, 2, (s) => s)])).toBeUndefined();
  });
});

describe('floorsOf', () => {
  it('takes the lowest of each so many seconds, and leaves out what is left', () => {
    const points = [5, 3, 4, 9, 7, 8, 1, 2].map((value, n) => ({ atS: 2 * n, value }));
    expect(floorsOf(points, 6)).toEqual([
      { atS: 2, value: 3 },
      { atS: 8, value: 7 },
    ]);
    expect(floorsOf([], 6)).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { type BarChartOptions, barChart } from '../../perf/lib/bar-chart.ts';

const CHART: BarChartOptions = {
  title: 'Cost <of> both',
  xLabel: 'load',
  yLabel: 'CPU, µs',
  groups: ['small', 'large'],
  series: [
    { name: 'A', values: [1, 2] },
    { name: 'B', values: [4, undefined] },
  ],
};

function heightsOf(svg: string): number[] {
  const bars = [...svg.matchAll(/<rect x="[^"]+" y="[^"]+" width="[^"]+" height="([^"]+)" fill="#(?!ffffff)/g)];
  return bars.map((match) => Number(match[1])).filter((height) => height !== 12);
}

describe('barChart', () => {
  it('draws a bar for each value, as high as the value, and none where there is none', () => {
    const [a1 = 0, a2 = 0, b1 = 0, ...others] = heightsOf(barChart(CHART));
    expect(others).toEqual([]);
    expect(a2 / a1).toBeCloseTo(2, 1);
    expect(b1 / a1).toBeCloseTo(4, 1);
  });

  it('names groups, series and axes', () => {
    const svg = barChart(CHART);
    for (const text of ['>small<', '>large<', '>A<', '>B<', 'CPU, µs', 'load', 'Cost &lt;of&gt; both']) {
      expect(svg).toContain(text);
    }
  });

  it('on a log scale gives each power of ten the same height', () => {
    const series = [{ name: 'A', values: [10, 100, 1_000] }];
    const [least = 0, middle = 0, most = 0] = heightsOf(
      barChart({ ...CHART, groups: ['a', 'b', 'c'], series, yScale: 'log' }),
    );
    expect(middle - least).toBeCloseTo(most - middle, 0);
    expect(middle).toBeGreaterThan(least);
  });

  it('draws no number that is none, also of nothing', () => {
    for (const yScale of ['linear', 'log'] as const) {
      const nothing = { ...CHART, groups: ['a'], series: [{ name: 'A', values: [0] }], yScale };
      expect(barChart(nothing)).not.toMatch(/NaN|Infinity|undefined/);
      expect(barChart({ ...nothing, series: [] })).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});

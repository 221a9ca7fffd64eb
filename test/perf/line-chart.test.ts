import { describe, expect, it } from 'vitest';
import { type ChartOptions, lineChart } from '../../perf/lib/line-chart.ts';

const CHART: ChartOptions = {
  title: 'Memory <of> A & B',
  xLabel: 'time, minutes',
  yLabel: 'MiB',
  lines: [
    { name: 'A', points: [0, 1, 2, 3].map((x) => ({ x, y: x === 2 ? undefined : 100 * x })) },
    { name: 'B', points: [{ x: 0, y: 240 }] },
  ],
  marks: [
    { x: 1, kind: 'reload' },
    { x: 2, kind: 'reload' },
  ],
};

function pathsOf(svg: string): string[] {
  return [...svg.matchAll(/<path d="([^"]*)"/g)].map((match) => match[1]!);
}

describe('lineChart', () => {
  it('names what is drawn, its axes with their units, and each kind of mark once', () => {
    const svg = lineChart(CHART);
    for (const text of ['time, minutes', 'MiB', '>A<', '>B<']) expect(svg).toContain(text);
    expect(svg).toContain('Memory &lt;of&gt; A &amp; B');
    expect(svg.match(/>reload</g)).toHaveLength(1);
    expect(svg.match(/stroke-dasharray="2 3"/g)).toHaveLength(3);
  });

  it('has round numbers at its axes that hold everything between them', () => {
    const ticks = [...lineChart(CHART).matchAll(/text-anchor="end"[^>]*>([\d,]+)</g)].map((match) => match[1]);
    expect(ticks).toEqual(['0', '50', '100', '150', '200', '250', '300']);
  });

  it('breaks a line where a value is missing, and stays within its frame', () => {
    const [a = ''] = pathsOf(lineChart(CHART));
    expect(a.match(/M/g)).toHaveLength(2);
    const ys = [...a.matchAll(/ (\d+(?:\.\d+)?)/g)].map((match) => Number(match[1]));
    expect(Math.min(...ys)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...ys)).toBeLessThan(400);
    expect(ys[0]).toBeGreaterThan(ys.at(-1)!);
  });

  it('draws no number that is none, also of nothing and of a level line', () => {
    for (const points of [[], [{ x: 0, y: 0 }], [{ x: 5, y: 3 }]]) {
      expect(lineChart({ ...CHART, lines: [{ name: 'x', points }], marks: [] })).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});

describe('lineChart on log scales', () => {
  const points = [10, 100, 1_000].map((x) => ({ x, y: x * 2 }));
  const svg = lineChart({ ...CHART, lines: [{ name: 'A', points }], marks: [], xScale: 'log', yScale: 'log' });

  it('gives each power of ten the same room', () => {
    const numbers = [...pathsOf(svg)[0]!.matchAll(/(\d+(?:\.\d+)?) (\d+(?:\.\d+)?)/g)].map(([, x, y]) => [+x!, +y!]);
    const [first, second, third] = numbers as [number, number][];
    expect(second![0] - first![0]).toBeCloseTo(third![0] - second![0], 0);
    expect(second![1] - first![1]).toBeCloseTo(third![1] - second![1], 0);
  });

  it('has powers of ten at its axes', () => {
    const ticks = [...svg.matchAll(/text-anchor="end"[^>]*>([\d,]+)</g)].map((match) => match[1]);
    expect(ticks).toEqual(['10', '100', '1,000', '10,000']);
  });

  it('draws dots where it is told to, and nothing between them', () => {
    const dotted = lineChart({ ...CHART, lines: [{ name: 'A', points, isDots: true }], marks: [] });
    expect(dotted.match(/<circle/g)).toHaveLength(3);
    expect(pathsOf(dotted)).toEqual([]);
  });

  it('draws no number that is none, also of what a log scale cannot hold', () => {
    for (const some of [[], [{ x: 0, y: 0 }], [{ x: 5, y: -3 }]]) {
      const lines = [{ name: 'A', points: some }];
      expect(lineChart({ ...CHART, lines, marks: [], xScale: 'log', yScale: 'log' })).not.toMatch(/NaN|Infinity/);
    }
  });
});

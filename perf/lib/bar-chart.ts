import {
  axisOf,
  chartFile,
  colourOf,
  coordinate,
  escaped,
  LEFT,
  legend,
  numberText,
  PLOT_HEIGHT,
  PLOT_WIDTH,
  type Scale,
  TOP,
} from './chart-parts.ts';

export interface BarChartOptions {
  title: string;
  xLabel: string;
  /** With units. */
  yLabel: string;
  /** What stands side by side along the axis. */
  groups: readonly string[];
  /** A bar in each group: as many values as groups. Where one is missing there is no bar. */
  series: readonly { name: string; values: readonly (number | undefined)[] }[];
  /** By default linear; on a log scale, bars begin at the power of ten below the least. */
  yScale?: Scale;
}

/** Of a group's width, what its bars take. */
const BARS_SHARE = 0.86;
const LABEL_SIZE = 9;

/** A chart of bars in groups, as the text of an SVG file that needs nothing else. */
export function barChart({ title, xLabel, yLabel, groups, series, yScale = 'linear' }: BarChartOptions): string {
  const values = series.flatMap((one) => one.values.filter((value) => value !== undefined));
  const y = axisOf(yScale, values);
  const groupWidth = PLOT_WIDTH / groups.length;
  const barWidth = (groupWidth * BARS_SHARE) / series.length;
  const bar = (value: number | undefined, group: number, index: number): string => {
    if (value === undefined) return '';
    const height = coordinate(Math.max(0, y.at(value)) * PLOT_HEIGHT);
    const x = coordinate(LEFT + groupWidth * (group + (1 - BARS_SHARE) / 2) + barWidth * index);
    const top = coordinate(TOP + PLOT_HEIGHT - height);
    return [
      `<rect x="${x}" y="${top}" width="${coordinate(barWidth - 2)}" height="${height}" fill="${colourOf(index)}"/>`,
      `<text x="${coordinate(x + barWidth / 2 - 1)}" y="${top - 3}" font-size="${LABEL_SIZE}" text-anchor="middle">${label(value)}</text>`,
    ].join('');
  };
  return chartFile(title, xLabel, yLabel, y, [
    ...series.flatMap((one, index) => one.values.map((value, group) => bar(value, group, index))),
    ...groups.map((group, n) => {
      const x = coordinate(LEFT + groupWidth * (n + 0.5));
      return `<text x="${x}" y="${TOP + PLOT_HEIGHT + 18}" font-size="11" text-anchor="middle">${escaped(group)}</text>`;
    }),
    ...legend(series.map(({ name }, index) => ({ name, sample: `fill="${colourOf(index)}"`, isFilled: true }))),
  ]);
}

/** Three digits, with a unit where it is long. */
function label(value: number): string {
  if (value >= 1e6) return `${numberText(Number((value / 1e6).toPrecision(3)))}M`;
  if (value >= 1e4) return `${numberText(Number((value / 1e3).toPrecision(3)))}k`;
  return numberText(Number(value.toPrecision(3)));
}

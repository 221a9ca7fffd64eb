import {
  axisOf,
  chartFile,
  colourOf,
  coordinate,
  LEFT,
  type LegendEntry,
  legend,
  PLOT_HEIGHT,
  PLOT_WIDTH,
  type Scale,
  TOP,
  xTick,
} from './chart-parts.ts';

/** A line of a chart. Where a value is missing the line is broken. */
export interface ChartLine {
  name: string;
  points: readonly { x: number; y: number | undefined }[];
  /** A second kind of the same colour: dashed. */
  isDashed?: boolean;
  /** Its points are drawn as dots, and nothing between them. */
  isDots?: boolean;
  /** Index of the colour; by default the line's place. */
  colour?: number;
}

/** Something that happened at a moment. */
export interface ChartMark {
  x: number;
  kind: string;
}

export interface ChartOptions {
  title: string;
  /** With units. */
  xLabel: string;
  yLabel: string;
  lines: readonly ChartLine[];
  marks?: readonly ChartMark[];
  /** By default linear; what is not above 0 does not show on a log scale. */
  xScale?: Scale;
  yScale?: Scale;
}

const MARK_COLOURS = ['#888888', '#cc3333'];
const DOT_RADIUS = 3.5;

/** A chart of lines over a common axis, as the text of an SVG file that needs nothing else. */
export function lineChart({ title, xLabel, yLabel, lines, marks = [], xScale, yScale }: ChartOptions): string {
  const points = lines.flatMap((line) => line.points);
  const x = axisOf(
    xScale ?? 'linear',
    points.map((point) => point.x),
  );
  const y = axisOf(
    yScale ?? 'linear',
    points.map((point) => point.y ?? 0),
  );
  const atX = (value: number) => LEFT + x.at(value) * PLOT_WIDTH;
  const atY = (value: number) => TOP + PLOT_HEIGHT * (1 - y.at(value));
  return chartFile(title, xLabel, yLabel, y, [
    ...x.ticks.map((tick) => xTick(tick, atX(tick))),
    ...marks.map((mark) => markLine(atX(mark.x), colourOfMark(mark.kind, marks))),
    ...lines.map((line, index) => (line.isDots === true ? dots : path)(line, index, atX, atY)),
    ...legend([...lines.map(lineEntry), ...markEntries(marks)]),
  ]);
}

function markLine(x: number, colour: string): string {
  const at = coordinate(x);
  return `<line x1="${at}" x2="${at}" y1="${TOP}" y2="${TOP + PLOT_HEIGHT}" stroke="${colour}" stroke-dasharray="2 3"/>`;
}

type Place = (value: number) => number;

function path(line: ChartLine, index: number, atX: Place, atY: Place): string {
  let isDrawn = false;
  const steps = line.points.map(({ x, y }) => {
    const step = y === undefined ? '' : `${isDrawn ? 'L' : 'M'}${coordinate(atX(x))} ${coordinate(atY(y))}`;
    isDrawn = y !== undefined;
    return step;
  });
  return `<path d="${steps.join('')}" fill="none" ${strokeOf(line, index)}/>`;
}

function dots(line: ChartLine, index: number, atX: Place, atY: Place): string {
  const colour = colourOf(line.colour ?? index);
  return line.points
    .flatMap(({ x, y }) => (y === undefined ? [] : [[coordinate(atX(x)), coordinate(atY(y))]]))
    .map(([x, y]) => `<circle cx="${x}" cy="${y}" r="${DOT_RADIUS}" fill="${colour}"/>`)
    .join('');
}

function lineEntry(line: ChartLine, index: number): LegendEntry {
  const sample = line.isDots === true ? `fill="${colourOf(line.colour ?? index)}"` : strokeOf(line, index);
  return { name: line.name, sample, isFilled: line.isDots === true };
}

function markEntries(marks: readonly ChartMark[]): LegendEntry[] {
  const kinds = [...new Set(marks.map(({ kind }) => kind))];
  return kinds.map((kind) => ({
    name: kind,
    sample: `stroke="${colourOfMark(kind, marks)}" stroke-dasharray="2 3"`,
  }));
}

function strokeOf({ colour, isDashed }: ChartLine, index: number): string {
  const dash = isDashed === true ? ' stroke-dasharray="5 3"' : '';
  return `stroke="${colourOf(colour ?? index)}" stroke-width="1.5"${dash}`;
}

function colourOfMark(kind: string, marks: readonly ChartMark[]): string {
  const kinds = [...new Set(marks.map((mark) => mark.kind))];
  return MARK_COLOURS[kinds.indexOf(kind) % MARK_COLOURS.length] as string;
}

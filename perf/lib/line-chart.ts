/** A line of a chart. Where a value is missing the line is broken. */
export interface ChartLine {
  name: string;
  points: readonly { x: number; y: number | undefined }[];
  /** A second kind of the same colour: dashed. */
  isDashed?: boolean;
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
}

const WIDTH = 960;
const HEIGHT = 400;
const LEFT = 72;
const RIGHT = 24;
const TOP = 76;
const BOTTOM = 56;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;
const TICKS = 6;
const CHAR_WIDTH = 7;
/** Told apart by people who see colours differently, too: after Okabe and Ito. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#999999'];
const MARK_COLOURS = ['#888888', '#cc3333'];

/** A chart of lines over a common axis, as the text of an SVG file that needs nothing else. */
export function lineChart({ title, xLabel, yLabel, lines, marks = [] }: ChartOptions): string {
  const points = lines.flatMap((line) => line.points);
  const x = axis(Math.min(0, ...points.map((point) => point.x)), Math.max(...points.map((point) => point.x), 0));
  const y = axis(0, Math.max(...points.map((point) => point.y ?? 0), 0));
  const atX = (value: number) => LEFT + ((value - x.from) / (x.to - x.from)) * PLOT_WIDTH;
  const atY = (value: number) => TOP + PLOT_HEIGHT - ((value - y.from) / (y.to - y.from)) * PLOT_HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="24" font-size="16" font-weight="bold">${escaped(title)}</text>`,
    ...y.ticks.map((tick) => gridLine(tick, atY(tick))),
    ...x.ticks.map((tick) => xTick(tick, atX(tick))),
    ...marks.map((mark) => markLine(atX(mark.x), colourOfMark(mark.kind, marks))),
    ...lines.map((line, index) => path(line, index, atX, atY)),
    `<rect x="${LEFT}" y="${TOP}" width="${PLOT_WIDTH}" height="${PLOT_HEIGHT}" fill="none" stroke="#333333"/>`,
    `<text x="${LEFT + PLOT_WIDTH / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escaped(xLabel)}</text>`,
    `<text transform="translate(18 ${TOP + PLOT_HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`,
    ...legend(lines, marks),
    '</svg>\n',
  ].join('\n');
}

interface Axis {
  from: number;
  to: number;
  ticks: number[];
}

/** Round numbers, some six of them, that hold everything between them. */
function axis(least: number, most: number): Axis {
  const step = roundStep((most - least) / TICKS || 1);
  const from = Math.floor(least / step) * step;
  const to = Math.max(from + step, Math.ceil(most / step) * step);
  const count = Math.round((to - from) / step);
  return { from, to, ticks: Array.from({ length: count + 1 }, (_, n) => Number((from + n * step).toPrecision(12))) };
}

/** 1, 2 or 5 times a power of ten, at least so much. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((each) => each * power >= least) as number;
  return factor * power;
}

function gridLine(value: number, y: number): string {
  const at = coordinate(y);
  return [
    `<line x1="${LEFT}" x2="${LEFT + PLOT_WIDTH}" y1="${at}" y2="${at}" stroke="#e2e2e2"/>`,
    `<text x="${LEFT - 8}" y="${at}" text-anchor="end" dominant-baseline="middle">${value.toLocaleString('en')}</text>`,
  ].join('');
}

function xTick(value: number, x: number): string {
  const at = coordinate(x);
  const bottom = TOP + PLOT_HEIGHT;
  return [
    `<line x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 5}" stroke="#333333"/>`,
    `<text x="${at}" y="${bottom + 19}" text-anchor="middle">${value.toLocaleString('en')}</text>`,
  ].join('');
}

function markLine(x: number, colour: string): string {
  const at = coordinate(x);
  return `<line x1="${at}" x2="${at}" y1="${TOP}" y2="${TOP + PLOT_HEIGHT}" stroke="${colour}" stroke-dasharray="2 3"/>`;
}

function path(line: ChartLine, index: number, atX: (x: number) => number, atY: (y: number) => number): string {
  let isDrawn = false;
  const steps = line.points.map(({ x, y }) => {
    const step = y === undefined ? '' : `${isDrawn ? 'L' : 'M'}${coordinate(atX(x))} ${coordinate(atY(y))}`;
    isDrawn = y !== undefined;
    return step;
  });
  return `<path d="${steps.join('')}" fill="none" ${strokeOf(line, index)}/>`;
}

/** Lines, then kinds of marks, from left to right and as many rows as that takes. */
function legend(lines: readonly ChartLine[], marks: readonly ChartMark[]): string[] {
  const kinds = [...new Set(marks.map(({ kind }) => kind))];
  const entries = [
    ...lines.map((line, index) => ({ name: line.name, stroke: strokeOf(line, index) })),
    ...kinds.map((kind) => ({ name: kind, stroke: `stroke="${colourOfMark(kind, marks)}" stroke-dasharray="2 3"` })),
  ];
  let [x, y] = [LEFT, 44];
  return entries.map(({ name, stroke }) => {
    const width = 34 + name.length * CHAR_WIDTH;
    if (x > LEFT && x + width > WIDTH - RIGHT) [x, y] = [LEFT, y + 16];
    const entry = `<line x1="${x}" x2="${x + 20}" y1="${y}" y2="${y}" ${stroke}/><text x="${x + 25}" y="${y + 4}">${escaped(name)}</text>`;
    x += width;
    return entry;
  });
}

function strokeOf({ colour, isDashed }: ChartLine, index: number): string {
  const dash = isDashed === true ? ' stroke-dasharray="5 3"' : '';
  return `stroke="${COLOURS[(colour ?? index) % COLOURS.length]}" stroke-width="1.5"${dash}`;
}

function colourOfMark(kind: string, marks: readonly ChartMark[]): string {
  const kinds = [...new Set(marks.map((mark) => mark.kind))];
  return MARK_COLOURS[kinds.indexOf(kind) % MARK_COLOURS.length] as string;
}

function coordinate(value: number): number {
  return Number(value.toFixed(1));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

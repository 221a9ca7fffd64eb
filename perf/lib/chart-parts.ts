/** What the charts share: sizes, colours, axes and the parts of their frame. */
export const WIDTH = 960;
export const HEIGHT = 400;
export const LEFT = 72;
const RIGHT = 24;
export const TOP = 76;
const BOTTOM = 56;
export const PLOT_WIDTH = WIDTH - LEFT - RIGHT;
export const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;
const TICKS = 6;
const CHAR_WIDTH = 7;
/** Told apart by people who see colours differently, too: after Okabe and Ito. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#999999'];

export interface Axis {
  ticks: number[];
  /** Where a value stands, 0 to 1; beyond the axis at its end. */
  at(value: number): number;
}

export type Scale = 'linear' | 'log';

/** Round numbers that hold everything between them, and 0. A log axis leaves out what is not above 0. */
export function axisOf(scale: Scale, values: readonly number[]): Axis {
  if (scale === 'log') return logAxis(values.filter((value) => value > 0));
  return linearAxis(Math.min(0, ...values), Math.max(0, ...values));
}

/** Some six round numbers. */
function linearAxis(least: number, most: number): Axis {
  const step = roundStep((most - least) / TICKS || 1);
  const from = Math.floor(least / step) * step;
  const to = Math.max(from + step, Math.ceil(most / step) * step);
  const count = Math.round((to - from) / step);
  return {
    ticks: Array.from({ length: count + 1 }, (_, n) => Number((from + n * step).toPrecision(12))),
    at: (value) => (value - from) / (to - from),
  };
}

/** Powers of ten. */
function logAxis(values: readonly number[]): Axis {
  const [least, most] = values.length > 0 ? [Math.min(...values), Math.max(...values)] : [1, 10];
  const from = Math.floor(Math.log10(least));
  const to = Math.max(from + 1, Math.ceil(Math.log10(most)));
  return {
    ticks: Array.from({ length: to - from + 1 }, (_, n) => Number((10 ** (from + n)).toPrecision(6))),
    at: (value) => (value > 0 ? Math.max(0, (Math.log10(value) - from) / (to - from)) : 0),
  };
}

/** 1, 2 or 5 times a power of ten, at least so much. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((each) => each * power >= least) as number;
  return factor * power;
}

export function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] as string;
}

export interface LegendEntry {
  name: string;
  /** The attributes of the sample, as of a line or a filled rectangle. */
  sample: string;
  isFilled?: boolean;
}

/** A whole SVG file that needs nothing else. */
export function chartFile(title: string, xLabel: string, yLabel: string, y: Axis, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="24" font-size="16" font-weight="bold">${escaped(title)}</text>`,
    ...y.ticks.map((tick) => gridLine(tick, TOP + PLOT_HEIGHT * (1 - y.at(tick)))),
    ...parts,
    `<rect x="${LEFT}" y="${TOP}" width="${PLOT_WIDTH}" height="${PLOT_HEIGHT}" fill="none" stroke="#333333"/>`,
    `<text x="${LEFT + PLOT_WIDTH / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escaped(xLabel)}</text>`,
    `<text transform="translate(18 ${TOP + PLOT_HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`,
    '</svg>\n',
  ].join('\n');
}

function gridLine(value: number, y: number): string {
  const at = coordinate(y);
  return [
    `<line x1="${LEFT}" x2="${LEFT + PLOT_WIDTH}" y1="${at}" y2="${at}" stroke="#e2e2e2"/>`,
    `<text x="${LEFT - 8}" y="${at}" text-anchor="end" dominant-baseline="middle">${numberText(value)}</text>`,
  ].join('');
}

export function xTick(value: number, x: number): string {
  const at = coordinate(x);
  const bottom = TOP + PLOT_HEIGHT;
  return [
    `<line x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 5}" stroke="#333333"/>`,
    `<text x="${at}" y="${bottom + 19}" text-anchor="middle">${numberText(value)}</text>`,
  ].join('');
}

/** From left to right, in as many rows as that takes. */
export function legend(entries: readonly LegendEntry[]): string[] {
  let [x, y] = [LEFT, 44];
  return entries.map(({ name, sample, isFilled }) => {
    const width = 34 + name.length * CHAR_WIDTH;
    if (x > LEFT && x + width > WIDTH - RIGHT) [x, y] = [LEFT, y + 16];
    const drawn =
      isFilled === true
        ? `<rect x="${x}" y="${y - 6}" width="20" height="12" ${sample}/>`
        : `<line x1="${x}" x2="${x + 20}" y1="${y}" y2="${y}" ${sample}/>`;
    const entry = `${drawn}<text x="${x + 25}" y="${y + 4}">${escaped(name)}</text>`;
    x += width;
    return entry;
  });
}

export function coordinate(value: number): number {
  return Number(value.toFixed(1));
}

export function numberText(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 6 });
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

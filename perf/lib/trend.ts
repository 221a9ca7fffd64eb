/** A value at a moment; the moment in seconds. */
export interface TrendPoint {
  atS: number;
  value: number;
}

/** The slope that several stretches of measurements have in common. */
export interface Trend {
  /** By least squares, each stretch at a level of its own. */
  perHour: number;
  /** The slope lies with a probability of 95 % within so much of that. */
  marginPerHour: number;
  /** Mean of all points. */
  level: number;
  points: number;
  stretches: number;
  /** Length of the longest stretch. */
  secondsMax: number;
}

/** A line through two points says nothing of its error. */
const POINTS_MIN = 3;
const HOUR_S = 3_600;

/**
 * Whether something grows, beyond its ups and downs. Stretches (the lives of processes, say) may lie at different levels;
 * those of fewer than three points are left out.
 * @returns undefined where there is too little to say
 */
export function commonTrend(stretches: readonly (readonly TrendPoint[])[]): Trend | undefined {
  const used = stretches.filter(({ length }) => length >= POINTS_MIN);
  let [spread, product, square, sum, points, secondsMax] = [0, 0, 0, 0, 0, 0];
  for (const stretch of used) {
    const meanAt = mean(stretch.map(({ atS }) => atS));
    const meanValue = mean(stretch.map(({ value }) => value));
    for (const { atS, value } of stretch) {
      spread += (atS - meanAt) ** 2;
      product += (atS - meanAt) * (value - meanValue);
      square += (value - meanValue) ** 2;
      sum += value;
    }
    points += stretch.length;
    secondsMax = Math.max(secondsMax, (stretch.at(-1) as TrendPoint).atS - (stretch[0] as TrendPoint).atS);
  }
  const freedom = points - used.length - 1;
  if (spread === 0 || freedom < 1) return undefined;
  const slope = product / spread;
  const rest = Math.max(0, square - slope * product);
  return {
    perHour: slope * HOUR_S,
    marginPerHour: studentsQuantile(freedom) * Math.sqrt(rest / freedom / spread) * HOUR_S,
    level: sum / points,
    points,
    stretches: used.length,
    secondsMax,
  };
}

/**
 * The lowest point of each so many seconds: of a heap, what is left after a collection. A rest that is shorter is left out.
 * @param points in the order of time
 */
export function floorsOf(points: readonly TrendPoint[], seconds: number): TrendPoint[] {
  const floors: TrendPoint[] = [];
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return floors;
  for (let fromS = first.atS; fromS + seconds <= last.atS; fromS += seconds) {
    const some = points.filter(({ atS }) => atS >= fromS && atS < fromS + seconds);
    if (some.length > 0) floors.push(some.reduce((least, point) => (point.value < least.value ? point : least)));
  }
  return floors;
}

/** 97.5 % of Student's distribution; within 1 % of the tables from two degrees of freedom on (Cornish and Fisher 1960). */
function studentsQuantile(freedom: number): number {
  if (freedom === 1) return 12.706;
  if (freedom === 2) return 4.303;
  const z = 1.959964;
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
  ];
  return terms.reduce((sum, term, n) => sum + term / freedom ** (n + 1), z);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** How a sum of terms, each a coefficient times a feature, fits what was measured. */
export interface Fit {
  /** By feature; none is below 0. 0 for one that was left out. */
  coefficients: number[];
  /** Standard errors of the coefficients; 0 for one that was left out, since it would have been below 0. */
  errors: number[];
  /** Of the weighted squares, the share that the model explains. */
  rSquared: number;
}

/** Features are scaled to 1 and weights to a sum of 1. */
const PIVOT_MIN = 1e-9;

/**
 * Weighted least squares without negative coefficients: what would be below 0 is left out, the lowest first, and the rest
 * fitted again; of features that the measurements do not tell apart, the last one is left out. For costs, where
 * something cannot cost less than nothing.
 * @param rows the features of each measurement, all of one length
 * @param values what was measured
 * @param weights how much each counts; the inverse of its variance
 */
export function fitNonNegative(
  rows: readonly (readonly number[])[],
  values: readonly number[],
  weights: readonly number[],
): Fit {
  const width = rows[0]?.length ?? 0;
  let kept = Array.from({ length: width }, (_, n) => n).filter((n) => rows.some((row) => row[n] !== 0));
  for (;;) {
    const features = rows.map((row) => kept.map((n) => row[n] as number));
    const solved = solve(features, values, weights);
    if (solved === undefined) {
      kept = kept.slice(0, -1);
      continue;
    }
    const { solution, inverse } = solved;
    const lowest = solution.indexOf(Math.min(...solution));
    if (kept.length > 0 && (solution[lowest] as number) < 0) {
      kept = kept.filter((_, n) => n !== lowest);
      continue;
    }
    return describe(width, kept, features, values, weights, solution, inverse);
  }
}

function describe(
  width: number,
  kept: readonly number[],
  features: readonly (readonly number[])[],
  values: readonly number[],
  weights: readonly number[],
  solution: readonly number[],
  inverse: readonly (readonly number[])[],
): Fit {
  const at = (row: number) => weights[row] as number;
  const fitted = features.map((row) => dot(row, solution));
  const residual = values.reduce((sum, value, n) => sum + at(n) * (value - (fitted[n] as number)) ** 2, 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = values.reduce((sum, value, n) => sum + at(n) * value, 0) / total;
  const spread = values.reduce((sum, value, n) => sum + at(n) * (value - mean) ** 2, 0);
  const variance = residual / Math.max(1, values.length - kept.length);
  const coefficients = new Array<number>(width).fill(0);
  const errors = new Array<number>(width).fill(0);
  for (const [place, n] of kept.entries()) {
    coefficients[n] = solution[place] as number;
    errors[n] = Math.sqrt(Math.max(0, variance * (inverse[place]?.[place] ?? 0)));
  }
  return { coefficients, errors, rSquared: spread > 0 ? 1 - residual / spread : 1 };
}

/** The normal equations, with each feature scaled to 1, since they range over ten powers of ten. */
function solve(rows: readonly (readonly number[])[], values: readonly number[], weights: readonly number[]) {
  const width = rows[0]?.length ?? 0;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const indices = Array.from({ length: width }, (_, n) => n);
  const scales = indices.map((n) => Math.max(...rows.map((row) => Math.abs(row[n] as number))));
  const matrix = indices.map((i) =>
    indices.map((j) => sumOver(rows, (row, n) => share(n) * scaled(row, i) * scaled(row, j))),
  );
  const right = indices.map((i) => sumOver(rows, (row, n) => share(n) * scaled(row, i) * (values[n] as number)));
  const inverse = inverted(matrix);
  if (inverse === undefined) return undefined;
  return {
    solution: indices.map((i) => dot(inverse[i] as number[], right) / (scales[i] as number)),
    inverse: indices.map((i) =>
      indices.map((j) => at(inverse, i, j) / (total * (scales[i] as number) * (scales[j] as number))),
    ),
  };

  function share(n: number): number {
    return (weights[n] as number) / total;
  }

  function scaled(row: readonly number[], n: number): number {
    return (row[n] as number) / (scales[n] as number);
  }
}

/** By elimination with the largest pivot; undefined where there is none. */
function inverted(matrix: readonly (readonly number[])[]): number[][] | undefined {
  const size = matrix.length;
  const rows = matrix.map((row, n) => [...row, ...Array.from({ length: size }, (_, j) => (j === n ? 1 : 0))]);
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let r = column + 1; r < size; r++) {
      if (Math.abs(at(rows, r, column)) > Math.abs(at(rows, pivot, column))) pivot = r;
    }
    if (Math.abs(at(rows, pivot, column)) < PIVOT_MIN) return undefined;
    [rows[column], rows[pivot]] = [rows[pivot] as number[], rows[column] as number[]];
    const divisor = at(rows, column, column);
    rows[column] = (rows[column] as number[]).map((value) => value / divisor);
    for (let r = 0; r < size; r++) {
      const factor = at(rows, r, column);
      if (r !== column) rows[r] = (rows[r] as number[]).map((value, j) => value - factor * at(rows, column, j));
    }
  }
  return rows.map((row) => row.slice(size));
}

function at(rows: readonly (readonly number[])[], row: number, column: number): number {
  return rows[row]?.[column] ?? 0;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, n) => sum + value * (b[n] as number), 0);
}

function sumOver(rows: readonly (readonly number[])[], of: (row: readonly number[], n: number) => number): number {
  return rows.reduce((sum, row, n) => sum + of(row, n), 0);
}

/** The one in the middle; of an even number the lower of the two, so that it is one that was measured. 0 for none. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** 0 where there is nothing to divide by. */
export function ratioOf(value: number, by: number): number {
  return by > 0 ? round(value / by, 3) : 0;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** µs as ms. */
export function msOf(us: number): number {
  return round(us / 1000);
}

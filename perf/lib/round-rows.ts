import { medianOf } from './figures.ts';
import type { Row } from './table.ts';

/**
 * A row for each round and, of several, one more with the middle of each column.
 * @param begins what stands at the beginning of each row
 */
export function roundRows(rounds: readonly Record<string, number>[], begins: Row = {}): Row[] {
  const rows: Row[] = rounds.map((figures, n) => ({ ...begins, round: String(n + 1), ...figures }));
  if (rounds.length < 2) return rows;
  const columns = Object.keys(rounds[0] ?? {});
  const middle = columns.map((column) => [column, medianOf(rounds.map((figures) => figures[column] ?? 0))]);
  return [...rows, { ...begins, round: 'middle', ...Object.fromEntries(middle) }];
}

/** One row of a benchmark: names of columns and what stands in them. */
export type Row = Record<string, string | number | boolean>;

/** Rows as text, a column as wide as its widest entry; numbers to the right. */
export function formatTable(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) => columns.map((column) => formatCell(row[column])));
  const widths = columns.map((column, i) => Math.max(column.length, ...cells.map((line) => line[i]?.length ?? 0)));
  const isText = columns.map((column) => rows.some((row) => typeof row[column] === 'string'));
  const pad = (text: string, i: number) => (isText[i] ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0));
  const line = (texts: readonly string[]) => texts.map(pad).join('  ').trimEnd();
  return [line(columns), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

function formatCell(value: Row[string] | undefined): string {
  if (value === undefined) return '';
  if (typeof value !== 'number') return String(value);
  return value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 10 ? 3 : 1 });
}

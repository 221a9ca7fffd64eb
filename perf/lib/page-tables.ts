import { readFileSync, writeFileSync } from 'node:fs';
import type { Row } from './table.ts';

/** Rows as a table of a page; numbers to the right. */
export function markdownTable(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const isNumber = (column: string) => rows.every((row) => typeof row[column] !== 'string');
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rules = columns.map((column) => (isNumber(column) ? '--:' : '---'));
  return [line(columns), line(rules), ...rows.map((row) => line(columns.map((column) => cellOf(row[column]))))].join(
    '\n',
  );
}

/**
 * The page with `text` in the place of what stood between `<!-- begin NAME -->` and `<!-- end NAME -->`.
 * @throws Error where the page has no such place
 */
export function withSection(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- begin ${name} -->\n`, `<!-- end ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The page has no section ${JSON.stringify(name)}`);
  return `${page.slice(0, from + begin.length)}\n${text}\n\n${page.slice(to)}`;
}

/** Writes sections of a page, by their names. */
export function writeSections(file: string, sections: Readonly<Record<string, string>>): void {
  let page = readFileSync(file, 'utf8');
  for (const [name, text] of Object.entries(sections)) page = withSection(page, name, text);
  writeFileSync(file, page);
}

function cellOf(value: Row[string] | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  return value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 10 ? 3 : 1 });
}

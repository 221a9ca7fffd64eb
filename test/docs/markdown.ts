/** The little of Markdown that the tests of the pages look at. */

export interface Fence {
  /** What stands behind the three backticks, such as `json client`. */
  info: string;
  text: string;
}

/** The fenced blocks of a page, in order. */
export function fencesOf(markdown: string): Fence[] {
  return [...markdown.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, info, text]) => ({ info: info!, text: text! }));
}

/** The page without its fenced blocks. */
export function proseOf(markdown: string): string {
  return markdown.replace(/^```.*\n[\s\S]*?^```$/gm, '');
}

export interface Section {
  heading: string;
  /** Everything below the heading, up to the next one of whatever level. */
  text: string;
}

/** The sections of a page, in order; what stands before the first heading has none. */
export function sectionsOf(markdown: string): Section[] {
  const parts = outsideFences(markdown).split(/^#+ (.*)$/m);
  const sections: Section[] = [];
  for (let i = 1; i < parts.length; i += 2) sections.push({ heading: parts[i]!, text: restored(parts[i + 1]!) });
  return sections;
}

/** The section of this heading. */
export function sectionOf(markdown: string, heading: string): string {
  const found = sectionsOf(markdown).find((section) => section.heading === heading);
  if (found === undefined) throw new Error(`no heading ${heading}`);
  return found.text;
}

/** The rows of all tables in a text, each a list of its cells, without heads. */
export function rowsOf(markdown: string): string[][] {
  const rows: string[][] = [];
  const lines = proseOf(markdown).split('\n');
  for (const [at, line] of lines.entries()) {
    if (!line.startsWith('|') || isRule(line) || isRule(lines[at + 1] ?? '')) continue;
    rows.push(
      line
        .slice(1, line.lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

/** The name by which a heading can be linked to. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

/** A cell that holds code, without its backticks. */
export function codeOf(cell: string): string {
  const match = /^`(.*)`$/.exec(cell);
  if (match === null) throw new Error(`no code: ${cell}`);
  return match[1]!;
}

function isRule(line: string): boolean {
  return /^\|[\s:|-]+$/.test(line);
}

/** Comments in fenced blocks begin with # too; a mark keeps them from being taken for headings. */
const MARK = '\u0000';

function outsideFences(markdown: string): string {
  return markdown.replace(/^```.*\n[\s\S]*?^```$/gm, (fence) => fence.replaceAll(/^#/gm, `${MARK}#`));
}

function restored(text: string): string {
  return text.replaceAll(MARK, '');
}

import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/util/errors.ts';
import { codeOf, rowsOf, sectionsOf } from './markdown.ts';
import { filesBelow, textOf } from './repository-files.ts';

const table = textOf('src/util/errors.ts');
const sections = sectionsOf(textOf('docs/errors.md')).slice(1);
const rows = sections.flatMap(({ text }) => rowsOf(text));
const PLACES = ['start', 'source', 'DataFlow', 'client', 'admin API'];

/** The codes as the table groups them: a comment above each group. */
function groupsOfTable(): string[][] {
  const groups = table.slice(table.indexOf('ERROR_CODES'), table.indexOf('} as const')).split(/^ {2}\/\/ .*$/m);
  return groups.slice(1).map((group) => [...group.matchAll(/^ {2}([A-Z_]+):/gm)].map((match) => match[1]!));
}

describe('docs/errors.md', () => {
  it('lists every code, in the groups and the order of the table, and no other', () => {
    expect(sections.map(({ text }) => rowsOf(text).map((row) => codeOf(row[0]!)))).toEqual(groupsOfTable());
    expect(rows.map((row) => codeOf(row[0]!))).toEqual(Object.keys(ERROR_CODES));
  });

  it('says of each where it shows up, what it means and what to do', () => {
    for (const [code, where, meaning, remedy, ...more] of rows) {
      expect(where!.split(', ').filter((place) => !PLACES.includes(place))).toEqual([]);
      expect([code, meaning]).toEqual([code, expect.stringMatching(/\w{3}/)]);
      expect([code, remedy]).toEqual([code, expect.stringMatching(/\w{3}/)]);
      expect(more).toEqual([]);
    }
  });
});

describe('the table of error codes', () => {
  /** Node.js that old does not load the table, so its text stands by itself in util/node-version.ts. */
  const NEVER_THROWN = ['NODE_TOO_OLD'];

  it('holds no code that nothing reports', () => {
    const sources = filesBelow('src').filter((path) => path !== 'src/util/errors.ts');
    const text = sources.map(textOf).join('\n');
    expect(Object.keys(ERROR_CODES).filter((code) => !text.includes(`'${code}'`))).toEqual(NEVER_THROWN);
  });
});

import { existsSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findOption, findOptionAnyCase, findSectionAnyCase, OPTIONS } from '../../src/config/options.ts';
import { anchorOf, proseOf, sectionsOf } from './markdown.ts';
import { filesBelow, pages, textOf } from './repository-files.ts';

const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
const sectionNames = new Set(OPTIONS.map(({ name }) => name.split('.', 1)[0]!).filter((name) => name !== 'shards'));

/** Targets of the links that stay within the repository. */
function linksOf(page: string): string[] {
  const targets = [...proseOf(textOf(page)).matchAll(/\]\(([^)\s]+)[^)]*\)/g)].map((match) => match[1]!);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** Headings of one name get a number from the second on. */
function anchorsOf(page: string): Set<string> {
  const seen = new Map<string, number>();
  return new Set(
    sectionsOf(textOf(page)).map(({ heading }) => {
      const anchor = anchorOf(heading);
      const before = seen.get(anchor) ?? 0;
      seen.set(anchor, before + 1);
      return before === 0 ? anchor : `${anchor}-${before}`;
    }),
  );
}

function isReachable(page: string, target: string): boolean {
  const [path, anchor] = target.split('#') as [string, string | undefined];
  const file = path === '' ? page : posix.join(posix.dirname(page), path);
  if (!existsSync(new URL(`../../${file}`, import.meta.url))) return false;
  return anchor === undefined || anchorsOf(file).has(anchor);
}

/** What a page names as an option: in backticks, as a flag, as a variable of the environment. */
function optionsNamedIn(text: string): string[] {
  const quoted = [...text.matchAll(/`([a-z]+(?:\.[A-Za-z]+)+)`/g)].map((match) => match[1]!);
  const ofOurs = quoted.filter((name) => sectionNames.has(name.split('.', 1)[0]!) && !/\.(ts|js|md|yaml)$/.test(name));
  const flags = [...text.matchAll(/--([a-z]+(?:\.[A-Za-z]+)+)/g)].map((match) => match[1]!);
  return [...ofOurs, ...flags];
}

describe.each(pages())('%s', (page) => {
  it('links only to files and headings that are there', () => {
    expect(linksOf(page).filter((target) => !isReachable(page, target))).toEqual([]);
  });

  it('names only npm scripts that there are', () => {
    const named = [...textOf(page).matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1]!);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  it('names only options that there are', () => {
    const isKnown = (name: string) => (findOption(name) ?? findSectionAnyCase(name))?.name === name;
    expect(optionsNamedIn(textOf(page)).filter((name) => !isKnown(name))).toEqual([]);
    const variables = [...textOf(page).matchAll(/TICKCAST__(\w+)/g)].map((match) => match[1]!.replaceAll('__', '.'));
    expect(variables.filter((name) => findOptionAnyCase(name) === undefined)).toEqual([]);
  });
});

describe('the pages', () => {
  it('name links, scripts and options at all', () => {
    expect(pages()).toContain('docs/protocol.md');
    expect(pages().flatMap(linksOf).length).toBeGreaterThan(10);
    expect(pages().flatMap((page) => optionsNamedIn(textOf(page))).length).toBeGreaterThan(50);
  });

  it('tell of every npm script that is meant to be called', () => {
    const told = pages().map(textOf).join('\n');
    const called = Object.keys(scripts).filter((name) => !/^(pre|post)/.test(name));
    const commandOf = (name: string) => (name === 'start' || name === 'test' ? `npm ${name}` : `npm run ${name}`);
    expect(called.filter((name) => !new RegExp(`${commandOf(name)}(?![\\w:-])`).test(told))).toEqual([]);
  });

  it('speak of the protocol by what it is, not by the names that tests give its points', () => {
    for (const page of pages()) expect([page, textOf(page).match(/\bT\d\d\b/)]).toEqual([page, null]);
  });
});

describe('the repository', () => {
  /** Written so that this file does not hold what it looks for. */
  const FOREIGN: readonly (readonly [string, RegExp])[] = [
    ['a path of one machine', /(?<![\w.])\/(?:[w]ork|[h]ome\/\w+|[U]sers\/\w+|[r]oot)\//],
    ['a page that is not part of it', /\b[s]hared\/(?:DESIGN|PROTOCOL|STYLE)|\b(?:[D]ESIGN|[P]ROTOCOL|[S]TYLE)\.md\b/],
    ['a number of a tracker', /\b[i]ssue #?\d/i],
    [
      'where packages were fetched from',
      /"[r]esolved": "http|https?:\/\/[^\s/"']*\b(?:[r]egistry|[p]roxy)\b[^\s/"']*\//,
    ],
  ];
  const BYTES_MAX = 4 * 1024 * 1024;

  it.each(FOREIGN)('holds nothing that only means something elsewhere: %s', (_what, pattern) => {
    const found = filesBelow('').flatMap((path) => {
      if (statSync(new URL(`../../${path}`, import.meta.url)).size > BYTES_MAX) return [];
      const match = pattern.exec(textOf(path));
      return match === null ? [] : [`${path}: ${match[0]}`];
    });
    expect(found).toEqual([]);
  });
});

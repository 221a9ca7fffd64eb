import { describe, expect, it } from 'vitest';
import { filesBelow, textOf } from '../docs/repository-files.ts';
import { exportsOf, importsBelow, isTypeScript, withoutComments } from './modules.ts';

describe('what src exports', () => {
  const imports = importsBelow('src', 'workers', 'perf', 'examples', 'test');
  const taken = new Set(imports.flatMap(({ to, names }) => names.map((name) => `${to} ${name}`)));
  const exported = filesBelow('src').filter(isTypeScript).flatMap(exportsOf);
  const isTaken = (path: string, name: string) => taken.has(`${path} ${name}`) || taken.has(`${path} *`);

  it('is imported somewhere, if it is a value', () => {
    const spare = exported.filter(({ path, name, isType }) => !isType && !isTaken(path, name));
    expect(spare.map(({ path, name }) => `${path} ${name}`)).toEqual([]);
  });

  it('is imported somewhere, or part of what its file exports, if it is a type', () => {
    const spare = exported.filter(({ path, name, isType }) => {
      if (!isType || isTaken(path, name)) return false;
      return withoutComments(textOf(path)).match(new RegExp(`\\b${name}\\b`, 'g'))!.length < 2;
    });
    expect(spare).toEqual([]);
  });
});

describe('a file of src', () => {
  const LINES_MAX = 350;

  it.each(filesBelow('src').filter(isTypeScript))(`has at most ${LINES_MAX} lines: %s`, (path) => {
    expect(textOf(path).split('\n').length - 1).toBeLessThanOrEqual(LINES_MAX);
  });
});

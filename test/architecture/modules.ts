import { posix } from 'node:path';
import { filesBelow, textOf } from '../docs/repository-files.ts';

/** One import or re-export of a file of the project. */
export interface Import {
  from: string;
  to: string;
  /** What is taken; `*` for a whole module and for an import that names nothing. */
  names: string[];
  /** True where nothing is left of it when types are stripped. */
  typeOnly: boolean;
}

const STATIC = /^(?:import|export)\s+(type\s+)?([^;'"]*?)\s*(?:from\s+)?'(\.[^']+)'/gm;
const DYNAMIC = /\bimport\('(\.[^']+)'\)/g;

/** Everything a file takes from other files of the project, by paths from the root. */
export function importsOf(path: string): Import[] {
  const text = withoutComments(textOf(path));
  const resolve = (target: string) => posix.join(posix.dirname(path), target);
  const fixed = [...text.matchAll(STATIC)].map(([, type, names, target]) => ({
    from: path,
    to: resolve(target!),
    names: namesIn(names!),
    typeOnly: type !== undefined,
  }));
  const dynamic = [...text.matchAll(DYNAMIC)].map(([, target]) => ({
    from: path,
    to: resolve(target!),
    names: ['*'],
    typeOnly: false,
  }));
  return [...fixed, ...dynamic];
}

/** Imports of all TypeScript files below these folders. */
export function importsBelow(...folders: string[]): Import[] {
  return folders.flatMap(filesBelow).filter(isTypeScript).flatMap(importsOf);
}

export interface Export {
  path: string;
  name: string;
  isType: boolean;
}

/** What a file declares and exports. */
export function exportsOf(path: string): Export[] {
  const declarations =
    /^export (?:declare )?(?:abstract )?(?:async )?(const|let|function\*?|class|interface|type) (\w+)/gm;
  return [...withoutComments(textOf(path)).matchAll(declarations)].map(([, kind, name]) => ({
    path,
    name: name!,
    isType: kind === 'interface' || kind === 'type',
  }));
}

/** The text of a file without its comments, well enough for names: strings that hold comments are rare here. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

export function isTypeScript(path: string): boolean {
  return path.endsWith('.ts');
}

/** `{ a, type b as c }`, `* as d`, `e`: the names as the other file has them. */
function namesIn(clause: string): string[] {
  const braces = /\{([\s\S]*)\}/.exec(clause);
  if (braces === null) return ['*'];
  return braces[1]!
    .split(',')
    .map((name) =>
      name
        .trim()
        .replace(/^type\s+/, '')
        .replace(/\s+as\s+.*$/, ''),
    )
    .filter((name) => name !== '');
}

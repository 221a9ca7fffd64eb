import { readFileSync } from 'node:fs';
import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { errorMessage } from '../util/errors.ts';
import { readTree, type TreeNode } from './read-tree.ts';
import { problem, type Reading } from './reading.ts';

/** Reads a file whole, as UTF-8. Throws where it cannot. */
export type ReadFile = (path: string) => string;

const FILE_CHARACTERS_MAX = 256 * 1024;
const MISTAKES_REPORTED_MAX = 5;

/** Reads a YAML file of options. Never throws; a file that cannot be read is a problem with CONFIG_FILE_UNREADABLE. */
export function readConfigFile(path: string, readFile: ReadFile = readUtf8): Reading {
  try {
    const text = readFile(path);
    if (text.length > FILE_CHARACTERS_MAX) return unreadable(path, [`has more than ${FILE_CHARACTERS_MAX} characters`]);
    return readYaml(path, text);
  } catch (thrown) {
    return unreadable(path, [`cannot be read: ${errorMessage(thrown)}`]);
  }
}

function readUtf8(path: string): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
}

function readYaml(path: string, text: string): Reading {
  const lineCounter = new LineCounter();
  // Repeated keys are found in readTree, which knows the names of the options they stand for.
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false });
  const mistakes = [...document.errors, ...document.warnings].slice(0, MISTAKES_REPORTED_MAX);
  if (mistakes.length > 0) {
    // The parser's own sentence may quote the line, and the line may hold the token.
    return unreadable(
      path,
      mistakes.map(({ code, pos }) => `is not YAML: ${words(code)}, ${place(lineCounter, pos[0])}`),
    );
  }
  return readTree(document.contents, (node) => expandYaml(node, (alias) => alias.resolve(document)), `file ${path}`);
}

/** Aliases are followed one at a time and lists one level deep: a file cannot unfold into more than it holds. */
function expandYaml(node: unknown, follow: (alias: Alias) => Node | undefined): TreeNode {
  const target = isAlias(node) ? follow(node) : node;
  if (isMap(target)) {
    return { entries: target.items.map((pair) => [keyText(pair.key), pair.value] as const) };
  }
  if (isSeq(target)) return { value: target.items.map((item) => (isScalar(item) ? item.value : {})) };
  return { value: isScalar(target) ? target.value : null };
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : '(a key that is no text)';
}

function unreadable(path: string, messages: readonly string[]): Reading {
  const problems = messages.map((message) => problem(path, message, 'flag --config', 'CONFIG_FILE_UNREADABLE'));
  return { given: [], problems };
}

function words(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ');
}

function place(lineCounter: LineCounter, offset: number): string {
  const { line, col } = lineCounter.linePos(offset);
  return `line ${line}, column ${col}`;
}

import { readFileSync, writeFileSync } from 'node:fs';
import { defaultYaml } from './config-yaml.ts';
import { optionTable } from './option-text.ts';

const TABLE_START = '<!-- options: made by `npm run config:write` -->';
const TABLE_END = '<!-- end of options -->';

/** The documents that are made from the schema, by path below the repository, and what each should hold. */
export function generatedDocuments(): ReadonlyMap<string, string> {
  return new Map([
    ['config/default.yaml', defaultYaml()],
    ['docs/configuration.md', withTable(readFileSync(fileOf('docs/configuration.md'), 'utf8'))],
  ]);
}

/** The file of this path below the repository. */
export function fileOf(path: string): URL {
  return new URL(`../../${path}`, import.meta.url);
}

function withTable(text: string): string {
  const start = text.indexOf(TABLE_START);
  const end = text.indexOf(TABLE_END);
  if (start < 0 || end < start)
    throw new Error(`docs/configuration.md lacks its marks: ${TABLE_START} and ${TABLE_END}`);
  return `${text.slice(0, start + TABLE_START.length)}\n\n${optionTable()}\n\n${text.slice(end)}`;
}

if (import.meta.main) {
  for (const [path, text] of generatedDocuments()) writeFileSync(fileOf(path), text);
}

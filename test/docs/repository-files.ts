import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a fresh checkout does not hold: installed, built or written by a run, as .gitignore has it; and git's own. */
const NOT_OURS =
  /^(?:node_modules|dist|coverage|\.clinic|\.git|perf\/results\/tmp|.*\.(?:log|tgz|cpuprofile|heapprofile))$/;

/** Text of a file of the repository. @param path from its root */
export function textOf(path: string): string {
  return readFileSync(ROOT + path, 'utf8');
}

/** Paths of all files below a folder of the repository, from its root, in order; '' stands for the root itself. */
export function filesBelow(folder: string): string[] {
  const prefix = folder === '' ? '' : `${folder}/`;
  return readdirSync(ROOT + folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = prefix + entry.name;
      if (NOT_OURS.test(path)) return [];
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .toSorted();
}

/** The pages that people read: those at the root and those in docs/. */
export function pages(): string[] {
  return filesBelow('').filter((path) => /^(docs\/)?[^/]+\.md$/.test(path));
}

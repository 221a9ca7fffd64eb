import { asFields, type Fields } from './fields.ts';
import { Refusal } from './refusal.ts';

/** Where a value stands in a payload: `data.bids[][]` is any value of any level; `[]` stands for every item of a list. */
export type Path = readonly string[];

/** The step from a list to its items. */
export const ITEM = '[]';

const PATHS_MAX = 100;
const ALLOWED = `paths such as timestamp, data.price or data.bids[][], separated by commas, at most ${PATHS_MAX}`;
const STEP = /^[^[\].]+(?:\[\])*$/;

export function readPaths(text: string): readonly Path[] {
  const paths = text.split(',').map((path) => readPath(path.trim(), text));
  if (paths.length > PATHS_MAX) throw new Refusal(text, ALLOWED);
  return paths;
}

export function pathText(path: Path): string {
  return path.map((step, at) => (step === ITEM || at === 0 ? step : `.${step}`)).join('');
}

/** Takes everything at and below the paths out of a payload. */
export function removePaths(payload: Fields, paths: readonly Path[]): void {
  for (const path of paths) removePath(payload, path, 0);
}

function readPath(path: string, text: string): Path {
  return path.split('.').flatMap((step) => {
    if (!STEP.test(step)) throw new Refusal(text, ALLOWED);
    const name = step.replaceAll(ITEM, '');
    return [name, ...Array<string>((step.length - name.length) / ITEM.length).fill(ITEM)];
  });
}

function removePath(value: unknown, path: Path, at: number): void {
  const step = path[at]!;
  const isLast = at === path.length - 1;
  if (step === ITEM) {
    if (!Array.isArray(value)) return;
    if (isLast) value.length = 0;
    else for (const item of value) removePath(item, path, at + 1);
    return;
  }
  const fields = asFields(value);
  if (fields === undefined || !Object.hasOwn(fields, step)) return;
  if (isLast) delete fields[step];
  else removePath(fields[step], path, at + 1);
}

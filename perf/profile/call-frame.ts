/** A function as V8's profiles name it. */
export interface CallFrame {
  functionName: string;
  url: string;
  /** From 0. */
  lineNumber: number;
}

/** Its name and where it stands: the file with its folder, and the line from 1. */
export function placeOf({ functionName, url, lineNumber }: CallFrame): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  return `${name} ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
}

/** The places with the greatest values, greatest first. */
export function greatest(values: ReadonlyMap<string, number>, count: number): [place: string, value: number][] {
  return [...values].sort((a, b) => b[1] - a[1]).slice(0, count);
}

/** Picks one of `options` (0 to options - 1). */
export type Choose = (options: number) => number;

/**
 * Calls `run` once for every sequence of choices it can make, depth first. A run must choose alike where it has chosen
 * alike before; which choices there are may depend on the ones before. Returns the number of runs.
 */
export function everyChoice(run: (choose: Choose) => void): number {
  const taken: number[] = [];
  const options: number[] = [];
  let runs = 0;
  do {
    let depth = 0;
    run((count) => {
      if (depth === taken.length) {
        taken.push(0);
        options.push(count);
      }
      if (options[depth] !== count) throw new Error(`choice ${depth} had ${options[depth]} options, now ${count}`);
      return taken[depth++] as number;
    });
    runs++;
  } while (advance(taken, options));
  return runs;
}

function advance(taken: number[], options: number[]): boolean {
  while (taken.length > 0) {
    const last = taken.length - 1;
    taken[last] = (taken[last] as number) + 1;
    if ((taken[last] as number) < (options[last] as number)) return true;
    taken.pop();
    options.pop();
  }
  return false;
}

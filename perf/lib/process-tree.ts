import { readdirSync, readFileSync } from 'node:fs';

/**
 * The process without children of its own that `pid` has started, directly or not, and whose command line has `argument`:
 * the program itself, whatever was put around it. From /proc, Linux only. Throws where there is none.
 */
export function leafProcess(pid: number, argument: string): number {
  const leaves = leavesBelow(pid).filter((leaf) => argumentsOf(leaf).includes(argument));
  const [leaf] = leaves;
  if (leaf === undefined) throw new Error(`process ${pid} has started nothing that was given ${argument}`);
  return leaf;
}

/** The processes that `pid` has started; empty once it has ended. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** Empty once the process has ended. */
export function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function leavesBelow(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => {
    const below = leavesBelow(child);
    return below.length > 0 ? below : [child];
  });
}

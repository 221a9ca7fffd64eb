import { readFileSync } from 'node:fs';

const STATE_FIELD = 0;
const START_FIELD = 19;

/**
 * What tells a process from a later one that was given the same number: when it started, in ticks of the kernel's clock
 * (proc(5)). Undefined where there is none, or it has ended and only waits for its parent to notice.
 */
export function processBirth(pid: number): string | undefined {
  try {
    return birthOf(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param stat text of /proc/PID/stat; the fields after the name, which may hold blanks and brackets, are counted */
export function birthOf(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[STATE_FIELD] === 'Z' ? undefined : fields[START_FIELD];
}

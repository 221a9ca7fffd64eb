import { readFileSync } from 'node:fs';

/** Fields of /proc/PID/stat behind the name: proc_pid_stat(5) counts them from 1, the state is the third. */
const STATE_AT = 0;
const START_TIME_AT = 22 - 3;

/**
 * When the process started, in clock ticks since the machine did: with the pid it names one process, also after the pid
 * has been given out again. Undefined where there is no such process, or only its exit status is left.
 */
export function processBirth(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name stands in parentheses and may hold any character, but nothing behind it does.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return /[ZX]/.test(fields[STATE_AT] ?? '') ? undefined : Number(fields[START_TIME_AT]);
}

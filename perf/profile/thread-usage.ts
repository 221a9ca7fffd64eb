import { readdirSync, readFileSync } from 'node:fs';

/** What the kernel tells of one thread, since it began. Linux only. */
export interface ThreadUsage {
  tid: number;
  cpuUs: number;
  /** Ready to run, but another had its core. */
  waitedUs: number;
  /** Times that it went to sleep by itself, each of which ended by being woken. */
  slept: number;
}

const NONE: Omit<ThreadUsage, 'tid'> = { cpuUs: 0, waitedUs: 0, slept: 0 };

/** All threads of a process; empty once it has ended. */
export function threadUsages(pid: number): ThreadUsage[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((tid) => usageOf(pid, Number(tid)));
  } catch {
    return [];
  }
}

/** What was used between two readings, by thread; one that was not there before has used all it tells. */
export function usedBetween(before: readonly ThreadUsage[], after: readonly ThreadUsage[]): ThreadUsage[] {
  const earlier = new Map(before.map((usage) => [usage.tid, usage]));
  return after.map(({ tid, cpuUs, waitedUs, slept }) => {
    const first = earlier.get(tid) ?? NONE;
    return { tid, cpuUs: cpuUs - first.cpuUs, waitedUs: waitedUs - first.waitedUs, slept: slept - first.slept };
  });
}

/** @param schedstat text of /proc/PID/task/TID/schedstat: ns on a core, ns waiting for one, turns */
export function parseThreadUsage(tid: number, schedstat: string, status: string): ThreadUsage {
  const [cpuNs = 0, waitedNs = 0] = schedstat.split(' ').map(Number);
  const slept = Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  return { tid, cpuUs: cpuNs / 1000, waitedUs: waitedNs / 1000, slept };
}

function usageOf(pid: number, tid: number): ThreadUsage {
  const read = (name: string) => readFileSync(`/proc/${pid}/task/${tid}/${name}`, 'utf8');
  return parseThreadUsage(tid, read('schedstat'), read('status'));
}

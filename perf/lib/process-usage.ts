import { readFileSync } from 'node:fs';

/** The kernel reports CPU time to programs in hundredths of a second, whatever its own clock is (proc(5)). */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;
const UTIME_FIELD = 11;
const STIME_FIELD = 12;

export interface ProcessUsage {
  /** CPU time since they started, all their threads together. */
  cpuSeconds: number;
  /** Resident memory. */
  residentMib: number;
}

/** The sums over `pids`, from /proc; one that has ended adds nothing. Linux only: all 0 elsewhere. */
export function processUsage(pids: readonly number[]): ProcessUsage {
  const usage: ProcessUsage = { cpuSeconds: 0, residentMib: 0 };
  for (const pid of pids) {
    usage.cpuSeconds += cpuSecondsOf(read(`/proc/${pid}/stat`));
    usage.residentMib += residentMibOf(read(`/proc/${pid}/status`));
  }
  return usage;
}

/** @param stat text of /proc/PID/stat; the fields after the name, which may hold blanks and brackets, are counted */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[UTIME_FIELD]) + Number(fields[STIME_FIELD]);
  return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : 0;
}

/** @param status text of /proc/PID/status */
export function residentMibOf(status: string): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  return match === null ? 0 : Number(match[1]) / 1024;
}

/** Memory that the kernel holds for all TCP sockets of the machine: what was sent and nobody has read yet. */
export function socketMemoryMib(): number {
  return socketMemoryMibOf(read('/proc/net/sockstat'));
}

/** @param sockstat text of /proc/net/sockstat, which counts in pages */
export function socketMemoryMibOf(sockstat: string): number {
  const match = /^TCP:.* mem (\d+)/m.exec(sockstat);
  return match === null ? 0 : (Number(match[1]) * PAGE_BYTES) / 1024 ** 2;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

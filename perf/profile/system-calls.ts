import { Child } from '../lib/child-process.ts';

/** What counted them. `perf` counts in the kernel and costs little; `strace` stops the thread at each call. */
export type CountedBy = 'perf' | 'strace' | 'nothing';

export interface SystemCalls {
  by: CountedBy;
  /** Calls by name, for each thread that was asked about. */
  byThread: Map<number, Map<string, number>>;
}

/** Kinds that are told apart; all others are `other`. */
const KINDS = ['write', 'writev', 'read', 'epoll_pwait', 'epoll_ctl', 'futex', 'accept4', 'madvise'];
const ALL = 'raw_syscalls:sys_enter';
const EVENTS = [...KINDS.map((kind) => `syscalls:sys_enter_${kind}`), ALL];
/** A tool that has been told to end has this long, ms. */
const END_MS = 5_000;

/** Counts the system calls of threads for some seconds. Where no tool is there, or it may not look, there are none. */
export async function countSystemCalls(tids: readonly number[], seconds: number): Promise<SystemCalls> {
  const byPerf = await countEach(tids, (tid) => perfCalls(tid, seconds));
  if (byPerf !== undefined) return { by: 'perf', byThread: byPerf };
  const byStrace = await countEach(tids, (tid) => straceCalls(tid, seconds));
  if (byStrace !== undefined) return { by: 'strace', byThread: byStrace };
  return { by: 'nothing', byThread: new Map() };
}

/** @param text what `perf stat -x,` has written; a thread that slept all the time has no counts, and made no calls */
export function parsePerf(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [count = '', , event = ''] = line.split(',');
    if (/^(?:\d+|<not counted>)$/.test(count)) counts.set(event.replace('syscalls:sys_enter_', ''), Number(count) || 0);
  }
  const all = counts.get(ALL);
  if (all === undefined) return new Map();
  counts.delete(ALL);
  const told = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return counts.set('other', Math.max(0, all - told));
}

/** @param text the table of `strace -c`: share, seconds, µs a call, calls, errors where there are some, name */
export function parseStrace(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, calls, name = ''] = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?([a-z_]\w*)\s*$/.exec(line) ?? [];
    if (calls === undefined || name === 'total') continue;
    const kind = KINDS.includes(name) ? name : 'other';
    counts.set(kind, (counts.get(kind) ?? 0) + Number(calls));
  }
  return counts;
}

async function countEach(
  tids: readonly number[],
  count: (tid: number) => Promise<Map<string, number>>,
): Promise<Map<number, Map<string, number>> | undefined> {
  const counts = await Promise.all(tids.map(async (tid) => [tid, await count(tid)] as const));
  return counts.some(([, calls]) => calls.size === 0) ? undefined : new Map(counts);
}

async function perfCalls(tid: number, seconds: number): Promise<Map<string, number>> {
  const events = ['-e', EVENTS.join(',')];
  const child = new Child('perf', ['stat', '-x', ',', ...events, '-t', String(tid), '--', 'sleep', String(seconds)]);
  await child.endWithin(seconds * 1000 + END_MS);
  return parsePerf(child.output);
}

async function straceCalls(tid: number, seconds: number): Promise<Map<string, number>> {
  const child = new Child('strace', ['-c', '-p', String(tid)]);
  const timer = setTimeout(() => child.kill('SIGINT'), seconds * 1000);
  await child.endWithin(seconds * 1000 + END_MS);
  clearTimeout(timer);
  return parseStrace(child.output);
}

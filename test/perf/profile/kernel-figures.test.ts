import { describe, expect, it } from 'vitest';
import { parseSlabs, slabBytes } from '../../../perf/profile/slabs.ts';
import { parseThreadUsage, usedBetween } from '../../../perf/profile/thread-usage.ts';

describe('the kernel’s caches', () => {
  const at = (sockets: number, others: number) =>
    parseSlabs(`slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables
TCP               ${sockets}   9999   2000   13    8 : tunables    0    0    0
btrfs_inode       ${others}   9999   1000   13    8 : tunables    0    0    0`);

  it('tell what the server’s ends of connections take, half of what both take', () => {
    expect(slabBytes(at(10, 0), at(30, 500))).toBe(20_000);
  });

  it('tell nothing where they cannot be read', () => {
    expect(slabBytes(undefined, at(1, 1))).toBeUndefined();
  });
});

describe('the usage of a thread', () => {
  it('is what was added between two readings, all of it for a thread that is new', () => {
    const usage = (tid: number, cpuNs: number, slept: number) =>
      parseThreadUsage(
        tid,
        `${cpuNs} 5000 77\n`,
        `Name:\tnode\nvoluntary_ctxt_switches:\t${slept}\nnonvoluntary_ctxt_switches:\t9\n`,
      );
    expect(usedBetween([usage(1, 2_000, 3)], [usage(1, 9_000, 10), usage(2, 4_000, 1)])).toEqual([
      { tid: 1, cpuUs: 7, waitedUs: 0, slept: 7 },
      { tid: 2, cpuUs: 4, waitedUs: 5, slept: 1 },
    ]);
  });
});

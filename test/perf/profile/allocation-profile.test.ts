import { describe, expect, it } from 'vitest';
import { topAllocations } from '../../../perf/profile/allocation-profile.ts';

const MIB = 1024 ** 2;

describe('topAllocations', () => {
  it('adds up what a function allocated over all its places in the call tree', () => {
    const node = (functionName: string, url: string, selfSize: number, children: object[] = []) => ({
      callFrame: { functionName, url, lineNumber: 9 },
      selfSize,
      children,
    });
    const open = (mib: number) => node('open', 'file:///a/src/batch/pool.ts', mib * MIB);
    const head = node('(root)', '', 0, [open(3), node('turn', 'file:///a/src/shard/cycle.ts', 2 * MIB, [open(5)])]);
    expect(topAllocations(JSON.stringify({ head }), 2, 2)).toEqual([
      { 'self %': 80, 'MiB/s': 4, function: 'open batch/pool.ts:10' },
      { 'self %': 20, 'MiB/s': 1, function: 'turn shard/cycle.ts:10' },
    ]);
  });
});

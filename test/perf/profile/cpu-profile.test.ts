import { describe, expect, it } from 'vitest';
import { topFunctions } from '../../../perf/profile/cpu-profile.ts';

describe('topFunctions', () => {
  it('adds up the time of a function over all its places in the call tree', () => {
    const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 9 });
    const profile = {
      nodes: [
        { id: 1, callFrame: frame('send', 'file:///a/src/batch/pool.ts') },
        { id: 2, callFrame: frame('(idle)', '') },
        { id: 3, callFrame: frame('send', 'file:///a/src/batch/pool.ts') },
        { id: 4, callFrame: frame('', 'file:///a/src/ring/receiver.ts') },
      ],
      samples: [1, 2, 3, 4],
      timeDeltas: [3_000, 2_000, 4_000, 1_000],
    };
    expect(topFunctions(JSON.stringify(profile), 2)).toEqual([
      { 'self %': 70, 'self ms': 7, function: 'send batch/pool.ts:10' },
      { 'self %': 20, 'self ms': 2, function: '(idle)' },
    ]);
    expect(topFunctions(JSON.stringify(profile), 3)[2]?.function).toBe('(anonymous) ring/receiver.ts:10');
  });
});

import { describe, expect, it } from 'vitest';
import { MemoryWatch, summariseMemory } from '../../perf/lib/memory-watch.ts';

const sample = (atS: number, residentMib: number, socketsMib = 0) => ({ atS, residentMib, socketsMib });

describe('summariseMemory', () => {
  it('tells start, most and end, and the growth in the second half', () => {
    const samples = [0, 100, 250, 300, 260, 262, 264, 266, 268].map((mib, second) => sample(second, mib, 10 - second));
    expect(summariseMemory(samples)).toEqual({
      startMib: 0,
      maxMib: 300,
      endMib: 268,
      mibPerS: 2,
      socketsMaxMib: 10,
    });
  });

  it('finds no growth in one sample, nor in none', () => {
    expect(summariseMemory([sample(1, 100)])).toMatchObject({ startMib: 100, endMib: 100, mibPerS: 0 });
    expect(summariseMemory([])).toMatchObject({ startMib: 0, maxMib: 0, mibPerS: 0 });
  });
});

describe('MemoryWatch', () => {
  it.runIf(process.platform === 'linux')('looks at once, at intervals and when told, until it is stopped', async () => {
    const watch = new MemoryWatch(process.pid, 5);
    await expect.poll(() => watch.samples.length).toBeGreaterThan(2);
    const { residentMib, atS } = watch.look();
    watch.stop();
    expect(residentMib).toBeGreaterThan(1);
    expect(watch.samples.at(-1)?.atS).toBe(atS);
  });
});

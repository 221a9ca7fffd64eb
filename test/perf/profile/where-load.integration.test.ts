import { expect, it } from 'vitest';
import { measureWhere } from '../../../perf/profile/where-load.ts';
import { callRows, loadRows, partRows } from '../../../perf/profile/where-tables.ts';

it('a load is looked at while it lasts: its traffic, what both threads spend time on, and their system calls', async () => {
  const load = { name: 'x', connections: 20, topics: 10, topicsEach: 2, rate: 500, subscribe: 'random' } as const;
  const measured = await measureWhere(load, 0.5);
  expect(measured.report.opened).toBe(20);
  expect(measured.plain.deliveries).toBeGreaterThan(0);
  expect(measured.latency.count).toBeGreaterThan(0);
  expect(measured.threads.map(({ name }) => name)).toEqual(['primary', 'shard']);
  for (const { usage, parts } of measured.threads) {
    expect(usage.cpuUs).toBeGreaterThan(0);
    expect([...parts.values()].reduce((sum, us) => sum + us)).toBeGreaterThan(100_000);
  }
  // Tools that count system calls are not on every machine.
  if (measured.countedBy !== 'nothing') expect(measured.threads[1]?.calls.size).toBeGreaterThan(0);
  expect(loadRows([measured])).toHaveLength(1);
  expect(partRows([measured], 'shard').map((row) => row['shard, % · µs'])).toContain('kernel send');
  expect(callRows([measured]).map(({ thread }) => thread)).toEqual(['primary', 'shard']);
}, 60_000);

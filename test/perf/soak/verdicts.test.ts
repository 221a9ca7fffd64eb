import { describe, expect, it } from 'vitest';
import type { Sample } from '../../../perf/soak/sampler.ts';
import { parseSoakOptions } from '../../../perf/soak/soak-options.ts';
import type { SoakRun } from '../../../perf/soak/soak-run.ts';
import { SoakTotals } from '../../../perf/soak/soak-totals.ts';
import { failures, growths } from '../../../perf/soak/verdicts.ts';

const SECONDS = 600;
const HEAP_MIB = 30;

function sampleAt(atS: number, changes: Partial<Sample> = {}): Sample {
  const shards = [0, 1].map(() => ({ restarts: 0, heapMib: 15 + (atS % 5), delayP99Ms: 20 }));
  return {
    atS,
    slot: 0,
    pid: 100,
    residentMib: 200 + Math.sin(atS),
    descriptors: 90,
    otherDescriptors: 40,
    connections: 50,
    behind: 0,
    delivered: 1_000 * atS,
    publications: 500 * atS,
    // A saw-tooth, as a heap is between two collections.
    heapMib: HEAP_MIB + (atS % 20),
    externalMib: 2,
    delayP99Ms: 20,
    shards,
    ...changes,
  };
}

/** A soak of ten minutes in which all was well, but for what is said. */
function run(changes: (atS: number) => Partial<Sample> = () => ({}), others: Partial<SoakRun> = {}): SoakRun {
  const totals = new SoakTotals();
  Object.assign(totals.account, {
    published: 10,
    delivered: 7,
    merged: 1,
    dropped: { slow_consumer: 2 },
    resumptions: 3,
  });
  totals.ledgers = 1;
  const samples = Array.from({ length: SECONDS / 2 }, (_, n) => sampleAt(2 * n, changes(2 * n)));
  return {
    options: parseSoakOptions(['--minutes', '10']),
    seconds: SECONDS,
    isCutShort: false,
    publications: 300_000,
    feedsCut: 0,
    samples,
    idle: { before: [sampleAt(0)], after: [sampleAt(SECONDS)] },
    disturbances: [{ atS: 60, kind: 'crash of a shard' }],
    totals,
    problems: [],
    ...others,
  };
}

function totalsWith(change: (totals: SoakTotals) => void): SoakTotals {
  const { totals } = run();
  change(totals);
  return totals;
}

describe('a soak', () => {
  it('passes where nothing grows and everything is accounted for', () => {
    expect(failures(run())).toEqual([]);
    expect(growths(run()).map(({ trend }) => trend?.stretches)).toEqual([1, 1, 1, 1, 1]);
  });

  it('passes where a process begins small, and another takes its place', () => {
    const risesAtFirst = (atS: number) => ({
      pid: atS < 300 ? 100 : 200,
      residentMib: 200 - 100 * Math.exp(-(atS % 300) / 10),
    });
    const found = run(risesAtFirst);
    expect(failures(found)).toEqual([]);
    expect(growths(found)[0]?.trend?.stretches).toBe(2);
  });

  it.each<[string, (atS: number) => Partial<Sample>]>([
    ['resident memory grows by +45', (atS) => ({ residentMib: 200 + atS / 8 + Math.sin(atS) })],
    ['heap of the primary grows by ', (atS) => ({ heapMib: HEAP_MIB + (atS % 20) + atS / 60 })],
    [
      'heap of shard 1 grows by ',
      (atS) => ({ shards: [0, 1].map((shard) => ({ restarts: 0, heapMib: 15 + (shard * atS) / 60, delayP99Ms: 20 })) }),
    ],
    ['number of descriptors without connections grows by ', (atS) => ({ otherDescriptors: 40 + Math.floor(atS / 60) })],
  ])('fails since %s', (failure, changes) => {
    const found = failures(run(changes));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(failure);
  });

  it('does not take what is lost in the noise for growth', () => {
    const noisy = (atS: number) => ({ residentMib: 200 + 40 * Math.sin(atS * 1.7) + atS / 100 });
    expect(failures(run(noisy))).toEqual([]);
  });

  it.each<[string, Partial<SoakRun>]>([
    ['publications owed and not accounted for: 1', { totals: totalsWith(({ account }) => account.published++) }],
    ['c: a hole', { totals: totalsWith(({ problems }) => problems.add('c: a hole')) }],
    ['nobody has resumed', { totals: totalsWith(({ account }) => (account.resumptions = 0)) }],
    ['no gateway was asked for its account', { totals: totalsWith((totals) => (totals.ledgers = 0)) }],
    ['a reload has failed', { problems: ['a reload has failed'] }],
    ['2 times a gateway did not read what was published', { feedsCut: 2 }],
    [
      'instance 0 had 40 descriptors before the first client, and has 60 behind the last',
      { idle: { before: [sampleAt(0)], after: [sampleAt(SECONDS, { pid: 200, otherDescriptors: 60 })] } },
    ],
  ])('fails since %s', (failure, others) => {
    expect(failures(run(undefined, others))).toContain(failure);
  });

  it('says nothing of growth where the time was too short', () => {
    const short = run();
    expect(growths({ ...short, samples: short.samples.slice(0, 10) }).every(({ trend }) => trend === undefined)).toBe(
      true,
    );
  });
});

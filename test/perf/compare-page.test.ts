import { describe, expect, it } from 'vitest';
import { publishedAt } from '../../perf/compare/accounts.ts';
import { type Compared, type CompareLoad, mergeRounds, type Round } from '../../perf/compare/measure.ts';
import { accountRows, deliveryTable } from '../../perf/compare/page.ts';
import { LatencyHistogram } from '../../perf/load/latency-histogram.ts';

const LOAD: CompareLoad = {
  name: 'ten connections',
  market: { symbols: 10, rate: 100, payloadBytes: 200 },
  connections: 10,
  symbolsEach: 2,
  warmupS: 1,
  seconds: 5,
  sampleEvery: 1,
};

function round(latenciesUs: number[], sequence: { begin: number; end: number }, deliveries: number): Round {
  const latency = new LatencyHistogram();
  for (const us of latenciesUs) latency.record(us);
  const generator = { cores: 0.5, loopUtilization: 0.6, loopDelayMaxMs: 3, saturated: false };
  const report = {
    ...{ opened: 10, seconds: 5, deliveries, bytesPerDelivery: 300, latency: latency.toWire(), sequence, generator },
    ...{ closed: 0, orderErrors: 0, protocolErrors: 0, server: { cpuS: 1, residentMib: 110 } },
  };
  const account = { published: 500, publishedBefore: 1_000, merged: 0, dropped: 0 };
  return { report, account, startMib: 100 } as unknown as Round;
}

describe('mergeRounds', () => {
  it('takes percentiles from the samples of all rounds together', () => {
    const fast = Array.from({ length: 99 }, () => 1_000);
    const slow = Array.from({ length: 99 }, () => 9_000);
    const rounds = [round(fast, { begin: 1_000, end: 1_500 }, 1_000), round(slow, { begin: 1_000, end: 1_500 }, 1_000)];
    const { latencyUs, delivered, seconds } = mergeRounds('x', LOAD, rounds);
    expect(latencyUs.count).toBe(198);
    expect(latencyUs.p50).toBeLessThan(1_100);
    expect(latencyUs.p99).toBeGreaterThan(8_500);
    expect([delivered, seconds]).toEqual([2_000, 10]);
  });

  it('owes each connection its share of what was published, not of what was due', () => {
    const { due, published, owed } = mergeRounds('x', LOAD, [round([1], { begin: 1_000, end: 1_500 }, 1_000)]);
    expect({ due, published, owed }).toEqual({ due: 500, published: 500, owed: 1_000 });
  });

  it('tells what is queued from how far the connections have got', () => {
    const compared = mergeRounds('x', LOAD, [round([1], { begin: 990, end: 1_250 }, 520)]);
    expect(compared).toMatchObject({ queuedBefore: 16, queuedAfter: 496 });
    const [row] = accountRows([compared]);
    expect(row).toMatchObject({ owed: 1_000, 'queued before': 16, 'queued after': 496, 'unaccounted, % of owed': 0 });
  });
});

describe('the tables of the comparison', () => {
  const compared = mergeRounds('Tickcast', LOAD, [round([1_000], { begin: 1_000, end: 1_500 }, 1_000)]);

  it('count those who did not come in as not served', () => {
    const half: Compared = { ...compared, opened: 5, owed: 500, delivered: 500 };
    expect(deliveryTable([compared])[0]).toMatchObject({ 'of asked, %': 100, 'CPU µs/delivery': 1_000 });
    expect(deliveryTable([half])[0]).toMatchObject({ opened: 5, 'of asked, %': 50 });
  });

  it('mark a row of which the generator was the limit', () => {
    expect(deliveryTable([{ ...compared, saturated: true }])[0]?.server).toBe('Tickcast *');
    expect(deliveryTable([compared])[0]?.server).toBe('Tickcast');
  });
});

describe('publishedAt', () => {
  it('goes by the straight line between two samples, and by the last one after all', () => {
    const samples = [[100, 10] as const, [200, 20] as const, [300, 60] as const];
    expect([50, 100, 150, 225, 300, 900].map((atUs) => publishedAt(samples, atUs))).toEqual([10, 10, 15, 30, 60, 60]);
    expect(publishedAt([], 5)).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { growthAxes } from '../../perf/growth/axes.ts';
import { type GrowthFigures, type GrowthRound, mergeGrowth } from '../../perf/growth/measure.ts';
import { coresBy, fitModel, TERMS } from '../../perf/growth/model.ts';
import { CLIENTS, MACHINE, project } from '../../perf/growth/projection.ts';
import { LatencyHistogram } from '../../perf/load/latency-histogram.ts';

/** µs: a write, a delivery, a KiB, a publication and shard, a connection and second, a shard and second. */
const TRUE_COSTS_US = [4, 0.3, 0.2, 8, 1.5, 9_000];

const points = growthAxes().flatMap(({ points }) => points);

/** What would be measured at a point by these costs. */
function figuresAt(n: number): GrowthFigures {
  const point = points[n]!;
  const share = point.symbolsEach === 0 ? 1 : point.symbolsEach / point.symbols;
  const deliveries = point.connections * share * point.rate;
  const counts = {
    point,
    publications: point.rate,
    deliveries,
    writes: deliveries / (1 + (share * point.rate) / 100),
    bytes: deliveries * (point.payloadBytes + 130),
  };
  const cores = coresBy({ coefficients: TRUE_COSTS_US.map((us) => us / 1e6) }, counts);
  return { ...counts, cores, opened: point.connections, saturated: false } as GrowthFigures;
}

describe('the model', () => {
  it('is found again from what it would give at the points of the axes', () => {
    const { coefficients, errorPercent, rSquared } = fitModel(points.map((_, n) => figuresAt(n)));
    for (const [n, us] of TRUE_COSTS_US.entries()) expect(coefficients[n]! * 1e6, TERMS[n]!.name).toBeCloseTo(us, 3);
    expect(errorPercent).toBeLessThan(0.01);
    expect(rSquared).toBeGreaterThan(0.9999);
  });

  it('leaves out points whose generator was the limit', () => {
    const figures = points.map((_, n) => figuresAt(n));
    const spoilt = figures.map((one, n) => (n % 7 === 3 ? { ...one, cores: 50, saturated: true } : one));
    const model = fitModel(spoilt);
    expect(model.points).toBe(spoilt.filter(({ saturated }) => !saturated).length);
    expect(model.coefficients[0]! * 1e6).toBeCloseTo(4, 3);
  });
});

describe('the axes', () => {
  it('reach from end to end of what is to be known', () => {
    const ends = growthAxes().map(({ name, points }) => [name, points[0]!.x, points.at(-1)!.x] as const);
    const byName = Object.fromEntries(ends.map(([name, first, last]) => [name, [first, last]]));
    expect(byName).toMatchObject({
      topics: [10, 100_000],
      filters: [1, 1_000],
      payload: [100, 64_000],
      shards: [1, 4],
    });
    expect(byName.connections?.[0]).toBe(10);
    expect(byName.connections?.[1]).toBeLessThanOrEqual(20_000);
  });
});

describe('mergeGrowth', () => {
  it('adds counts up over the rounds, and takes percentiles from all samples', () => {
    const round = (us: number, deliveries: number): GrowthRound => {
      const latency = new LatencyHistogram();
      for (let n = 0; n < 100; n++) latency.record(us);
      const report = {
        ...{ opened: 10, seconds: 2, deliveries, bytesPerDelivery: 300, orderErrors: 0, closed: 0 },
        ...{ latency: latency.toWire(), server: { cpuS: 1, residentMib: 100 } },
        generator: { loopUtilization: 0.2, saturated: false },
      };
      const gained = { publications: 200, writes: 50, dropped: 0 };
      return { report, gained, startMib: 90 } as unknown as GrowthRound;
    };
    const figures = mergeGrowth(points[0]!, [round(1_000, 100), round(9_000, 300)]);
    expect(figures).toMatchObject({ deliveries: 100, publications: 100, writes: 25, bytes: 30_000, cores: 0.5 });
    expect(figures.p50Us).toBeLessThan(1_100);
    expect(figures.p99Us).toBeGreaterThan(8_500);
  });
});

describe('the projection', () => {
  const model = { coefficients: [4e-6, 1e-6, 0, 0, 0, 0], errors: [], rSquared: 1, points: 1, errorPercent: 0 };

  it('takes as many machines as the scarcest of CPU, memory and network asks for', () => {
    const one = project(model, 10, 300, 8);
    const each = Math.min(one.clientsByCpu, one.clientsByMemory, one.clientsByNic);
    expect(one.machines).toBe(Math.ceil(CLIENTS / each));
    // 10 messages in 10 / 1.1 writes.
    expect(one.cpuUsPerClientS).toBeCloseTo((10 / 1.1) * 4 + 10, 6);
    expect(one.clientsByCpu).toBeCloseTo((MACHINE.cores * MACHINE.coresShare * 1e6) / one.cpuUsPerClientS, 3);
  });

  it('asks for more machines the more is sent', () => {
    const machines = [1, 10, 50].map((rate) => project(model, rate, 300, 8).machines);
    expect(machines.toSorted((a, b) => a - b)).toEqual(machines);
    expect(machines[2]).toBeGreaterThan(machines[0]!);
  });
});

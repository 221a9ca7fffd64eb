import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryPressure } from '../../src/control/memory-pressure.ts';
import type { PressureStage } from '../../src/telemetry/pressure-stages.ts';
import { collectingLogger } from '../support/collected-lines.ts';
import { FakeInstruments } from '../support/fake-admin-context.ts';

const MIB = 1024 * 1024;
const THRESHOLD_MB = 500;

let instruments: FakeInstruments;
let log: ReturnType<typeof collectingLogger>;
let told: PressureStage[];
let collections: number;
let timers: { ms: number; work: () => void; cancelled: boolean }[];
let pressure: MemoryPressure;

function create(thresholdMb = THRESHOLD_MB): void {
  instruments = new FakeInstruments();
  log = collectingLogger();
  told = [];
  collections = 0;
  timers = [];
  pressure = new MemoryPressure({
    thresholdMb,
    checkIntervalMs: 10_000,
    tell: (stage) => told.push(stage),
    figures: () => ({ connections: 7 }),
    log,
    instruments,
    collect: () => collections++,
    every: (ms, work) => {
      const timer = { ms, work, cancelled: false };
      timers.push(timer);
      return () => {
        timer.cancelled = true;
      };
    },
  });
}

/** So many checks, ten seconds apart, each with this much resident memory. */
function checks(rssMb: number, times = 1): void {
  for (let n = 0; n < times; n++) {
    instruments.pass(10_000);
    instruments.rss = rssMb * MIB;
    pressure.check();
  }
}

const stage = () => pressure.state.stage;

beforeEach(() => create());

describe('memory pressure', () => {
  it('goes one step further at each check over the threshold, up to refusing connections', () => {
    const stages = Array.from({ length: 6 }, () => {
      checks(501);
      return stage();
    });
    expect(stages).toEqual([1, 2, 3, 4, 4, 4]);
    expect(told).toEqual([1, 2, 3, 4, 4, 4]);
  });

  it('counts and logs each step with its figures, and sheds again while that does not suffice', () => {
    checks(600, 6);
    expect(pressure.state.steps).toEqual({ trim: 1, conflate: 1, shed: 4, refuse: 1 });
    expect(log.lines.map(({ level, message, fields }) => [level, message, fields.stage])).toEqual([
      ['warn', 'WebSocket memory pressure: batches written out, spare memory given back', 1],
      ['warn', 'WebSocket memory pressure: less may wait for slow connections', 2],
      ['warn', 'WebSocket memory pressure: the slowest connections are closed', 3],
      ['warn', 'WebSocket memory pressure: new connections are refused', 4],
      ...Array.from({ length: 3 }, () => ['warn', 'WebSocket memory pressure: the slowest connections are closed', 4]),
    ]);
    for (const { fields } of log.lines) {
      expect(fields).toMatchObject({ memoryMb: 600, thresholdMb: 500, connections: 7 });
    }
  });

  it('does nothing at the threshold or below it', () => {
    checks(500, 10);
    expect([stage(), told, log.lines, collections]).toEqual([0, [], [], 0]);
  });

  it('is over at once below 80 % of the threshold', () => {
    checks(600, 4);
    checks(399.9);
    expect([stage(), told.at(-1)]).toEqual([0, 0]);
    expect(log.lines.at(-1)).toMatchObject({
      level: 'info',
      message: 'WebSocket memory pressure: over',
      fields: { stage: 4, lastedMs: 40_000, memoryMb: 399.9, connections: 7 },
    });
    checks(399.9, 3);
    expect(told).toEqual([1, 2, 3, 4, 0]);
  });

  it.each([400, 450, 500])('stays as it is between the two, at %d MB', (rssMb) => {
    checks(600, 3);
    checks(rssMb, 10);
    expect([stage(), told]).toEqual([3, [1, 2, 3]]);
    checks(600);
    expect(stage()).toBe(4);
  });

  it('begins at the first step when it comes back', () => {
    checks(600, 4);
    checks(100);
    checks(600);
    expect(stage()).toBe(1);
    expect(pressure.state.steps).toEqual({ trim: 2, conflate: 1, shed: 2, refuse: 1 });
  });

  it('collects the garbage of the primary with the first step, once', () => {
    checks(600, 6);
    expect(collections).toBe(1);
  });

  it('looks each interval, from its start to its stop', () => {
    pressure.start();
    pressure.start();
    expect(timers.map(({ ms }) => ms)).toEqual([10_000]);
    instruments.rss = 600 * MIB;
    timers[0]!.work();
    expect(stage()).toBe(1);
    pressure.stop();
    pressure.stop();
    expect(timers[0]!.cancelled).toBe(true);
    pressure.start();
    expect(timers).toHaveLength(2);
  });

  it('never looks where the threshold is 0', () => {
    create(0);
    pressure.start();
    expect(timers).toEqual([]);
  });

  it('hands out figures that do not change any more', () => {
    const before = pressure.state;
    checks(600);
    expect(before).toEqual({ stage: 0, steps: { trim: 0, conflate: 0, shed: 0, refuse: 0 } });
  });
});

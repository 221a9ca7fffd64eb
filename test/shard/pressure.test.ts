import { beforeEach, describe, expect, it } from 'vitest';
import { Pressure } from '../../src/shard/pressure.ts';
import type { PressureStage } from '../../src/telemetry/pressure-stages.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { collectingLogger } from '../support/collected-lines.ts';

let statistics: StatisticsBlock;
let log: ReturnType<typeof collectingLogger>;
/** What the shard was told to do, in order. */
let done: string[];
let slow: number;
let pressure: Pressure;

beforeEach(() => {
  statistics = new StatisticsBlock(StatisticsBlock.allocate());
  log = collectingLogger();
  done = [];
  slow = 0;
  pressure = new Pressure({
    duty: { flush: () => void done.push('flush') },
    pool: {
      trim: () => {
        done.push('trim');
        return 4_096;
      },
    },
    proxy: { refuse: (refusing) => void done.push(`refuse ${refusing}`) },
    conflateHarder: (harder) => void done.push(`conflate ${harder}`),
    closeSlowest: () => {
      done.push('close');
      return slow;
    },
    statistics,
    log,
    collect: () => {
      done.push('collect');
      return 1;
    },
  });
});

/** What entering a stage does. */
function entering(stage: PressureStage): string[] {
  done = [];
  pressure.enter(stage);
  return done;
}

describe('a shard under memory pressure', () => {
  it('takes one step after the other, and gives memory back with each', () => {
    expect(entering(1)).toEqual(['flush', 'trim', 'collect']);
    expect(entering(2)).toEqual(['conflate true', 'flush', 'trim', 'collect']);
    expect(entering(3)).toEqual(['close', 'flush', 'trim', 'collect']);
    expect(entering(4)).toEqual(['refuse true', 'close', 'flush', 'trim', 'collect']);
  });

  it('repeats what can be repeated, but stops for its garbage only once a stage', () => {
    for (const stage of [1, 2, 3, 4] as const) pressure.enter(stage);
    expect(entering(4)).toEqual(['close', 'flush', 'trim']);
  });

  it('undoes what was in force when it is over, and nothing else', () => {
    pressure.enter(1);
    expect(entering(0)).toEqual([]);
    for (const stage of [1, 2, 3, 4] as const) pressure.enter(stage);
    expect(entering(0)).toEqual(['conflate false', 'refuse false']);
    expect(entering(0)).toEqual([]);
  });

  it('takes all the steps at once when it comes up late', () => {
    expect(entering(4)).toEqual(['conflate true', 'refuse true', 'close', 'flush', 'trim', 'collect']);
  });

  it('counts and logs the connections that it closes', () => {
    pressure.enter(3);
    expect([statistics.get('shedConnections'), log.lines.filter(({ level }) => level === 'warn')]).toEqual([0, []]);
    slow = 2;
    pressure.enter(4);
    slow = 3;
    pressure.enter(4);
    expect(statistics.get('shedConnections')).toBe(5);
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([
      { level: 'warn', message: 'WebSocket memory pressure: slowest connections closed', fields: { closed: 2 } },
      { level: 'warn', message: 'WebSocket memory pressure: slowest connections closed', fields: { closed: 3 } },
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { Influx } from '../../src/shard/influx.ts';

/** What it says second by second, of so many connections on a shard that is quiet. */
function judged(influx: Influx, ...open: number[]): boolean[] {
  return open.map((connections) => influx.isOver(connections, 0.01));
}

describe('an influx', () => {
  it('is over, once, when nobody more has come for a second', () => {
    expect(judged(new Influx(), 0, 600, 1_200, 1_200, 1_200)).toEqual([false, false, false, true, false]);
  });

  it('is none where few have come', () => {
    expect(judged(new Influx(), 0, 999, 999, 999)).toEqual([false, false, false, false]);
  });

  it('is not over for a shard that is busy, until it is quiet', () => {
    const influx = new Influx();
    judged(influx, 0, 2_000);
    expect(influx.isOver(2_000, 0.2)).toBe(false);
    expect(influx.isOver(1_900, 0.01)).toBe(true);
  });

  it('begins anew with those who come back after others have gone', () => {
    const influx = new Influx();
    judged(influx, 0, 2_000, 2_000);
    expect(judged(influx, 500, 1_400, 1_400)).toEqual([false, false, false]);
    expect(judged(influx, 1_600, 1_600)).toEqual([false, true]);
  });
});

import { describe, expect, it } from 'vitest';
import { lookIntervalMs, Silence } from '../../src/util/silence.ts';

describe('a silence', () => {
  it('is counted in looks since the sign of life last changed', () => {
    const silence = new Silence(250);
    expect([1, 1, 1, 2, 2, 3].map((sign) => silence.look(sign))).toEqual([0, 250, 500, 0, 250, 0]);
  });

  it('is over when the sign goes back: a clock that was set is a sign too', () => {
    const silence = new Silence(100);
    expect([5_000, 5_000, 1_000, 1_000].map((sign) => silence.look(sign))).toEqual([0, 100, 0, 100]);
  });

  it('begins anew when there was nobody to be heard', () => {
    const silence = new Silence(100);
    silence.look(1);
    silence.look(1);
    silence.reset();
    expect([1, 1].map((sign) => silence.look(sign))).toEqual([0, 100]);
  });
});

describe('the time between looks', () => {
  it.each([
    [[10_000, 15_000], 1_000],
    [[0, 0], 1_000],
    [[], 1_000],
    [[0, 800], 200],
    [[200, 15_000], 50],
  ])('with limits of %j ms is %d ms: four at least before anything is done', (limits, wanted) => {
    expect(lookIntervalMs(...limits)).toBe(wanted);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BookSide } from '../../src/delivery/book-side.ts';
import type { Level } from '../../src/delivery/depth.ts';

/** Prices of one grid: many, so that the table grows, or few, so that they come again and go. */
const grid = fc.record({
  ticks: fc.constantFrom(3, 20, 300, 5_000),
  perUnit: fc.constantFrom(1, 2, 100, 1e8),
  from: fc.constantFrom(-100, 0, 60_000),
});
type Step = { do: 'set' | 'remove'; tick: number } | { do: 'clear' };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 60, arbitrary: fc.record({ do: fc.constant('set' as const), tick: fc.nat() }) },
    { weight: 40, arbitrary: fc.record({ do: fc.constant('remove' as const), tick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
  ),
  { maxLength: 600, size: 'max' },
);

function sorted(model: Map<number, Level>): Level[] {
  return [...model.entries()].sort(([one], [other]) => one - other).map(([, level]) => level);
}

describe('BookSide', () => {
  it('holds what a Map would, through growth, removals and clearing', () => {
    fc.assert(
      fc.property(grid, steps, ({ ticks, perUnit, from }, given) => {
        const side = new BookSide();
        const model = new Map<number, Level>();
        for (const [index, step] of given.entries()) {
          if (step.do === 'clear') {
            side.clear();
            model.clear();
            continue;
          }
          const price = from + (step.tick % ticks) / perUnit;
          const level: Level = [price, step.do === 'set' ? index + 1 : 0];
          side.apply([level]);
          if (step.do === 'set') model.set(price, level);
          else model.delete(price);
          expect(side.size).toBe(model.size);
        }
        expect(side.ascending()).toEqual(sorted(model));
        expect(side.descending()).toEqual(sorted(model).reverse());
      }),
      { numRuns: 300 },
    );
  });

  it('finds every level again among 20,000, and none when they have gone', () => {
    const levels = Array.from({ length: 20_000 }, (_, tick): Level => [(6_000_000 + tick) / 100, 1]);
    const side = new BookSide();
    side.apply(levels.toReversed());
    expect(side.ascending()).toEqual(levels);
    side.apply(levels.map(([price]) => [price, 0]));
    expect([side.size, side.ascending()]).toEqual([0, []]);
  });

  it('begins again after it was cleared, whatever it had held', () => {
    const side = new BookSide();
    for (const count of [5_000, 0, 3, 0, 1_000, 1]) {
      const levels = Array.from({ length: count }, (_, tick): Level => [tick, 1]);
      side.clear();
      expect(side.size).toBe(0);
      side.apply(levels);
      expect(side.ascending()).toEqual(levels);
    }
  });

  it('keeps deletions that it only notes', () => {
    const side = new BookSide();
    side.note([
      [2, 0],
      ['2.0', '0.00'],
      [1, 5],
    ]);
    expect(side.ascending()).toEqual([
      [1, 5],
      ['2.0', '0.00'],
    ]);
    side.note([[1, 0]]);
    expect(side.size).toBe(2);
  });
});

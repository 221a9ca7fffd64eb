import fc from 'fast-check';
import type { Depth, Level } from '../../src/delivery/depth.ts';

const TICKS = 40;
const TICKS_PER_UNIT = 10;
/** So that some prices are 0, and some below. */
const TICKS_BELOW = 5;

const spellings: ((value: number) => number | string)[] = [
  (value) => value,
  (value) => String(value),
  (value) => value.toFixed(3),
  (value) => `${value}e0`,
  (value) => value.toExponential(6),
];

const price = fc
  .tuple(fc.nat(TICKS), fc.constantFrom(...spellings))
  .map(([tick, spell]) => spell((tick - TICKS_BELOW) / TICKS_PER_UNIT));
const size = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(1, 2.5, '1', '3.50', '.5', '1e-3') },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, '0', '0.00', '-0', '.0', '0e7') },
);
const further = fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant(['id', 3]) });
const levels = fc.array(
  fc.tuple(price, size, further).map(([p, s, more]): Level => Object.freeze([p, s, ...more])),
  { maxLength: 12 },
);

/** A depth of few prices in many spellings, one in ten a snapshot; frozen, since nobody may write to it. */
export const depth: fc.Arbitrary<Depth> = fc
  .tuple(levels, levels, fc.nat(9))
  .map(([bids, asks, dice]) =>
    Object.freeze({ bids: Object.freeze(bids), asks: Object.freeze(asks), isSnapshot: dice === 0 }),
  );

/** What a book is, said plainly: no table, no order until it is asked for. */
export class NaiveBook {
  #bids: readonly Level[] = [];
  #asks: readonly Level[] = [];

  apply({ bids, asks, isSnapshot }: Depth): void {
    this.#bids = bids.reduce(changed, isSnapshot ? [] : this.#bids);
    this.#asks = asks.reduce(changed, isSnapshot ? [] : this.#asks);
  }

  bids(): Level[] {
    return this.#bids.toSorted(([one], [other]) => Number(other) - Number(one));
  }

  asks(): Level[] {
    return this.#asks.toSorted(([one], [other]) => Number(one) - Number(other));
  }
}

function changed(side: readonly Level[], level: Level): readonly Level[] {
  const others = side.filter(([price]) => Number(price) !== Number(level[0]));
  return Number(level[1]) === 0 ? others : [...others, level];
}

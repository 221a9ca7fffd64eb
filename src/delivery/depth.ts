import { decimalNumber } from './decimal-number.ts';

/** A price or a size as it was published: a finite number, or a text that holds one in decimal digits. */
export type Figure = number | string;

/** One level of a book as it was published. What stands behind price and size is carried along. */
export type Level = readonly [price: Figure, size: Figure, ...further: unknown[]];

/**
 * What a depth publication says of a book. An update changes the levels that it names, a size of 0 removing one; a snapshot
 * is the whole book. In any order; where a side names a price twice, the last counts. The arrays are the publication's own,
 * which nobody changes any more.
 */
export interface Depth {
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  readonly isSnapshot: boolean;
}

const NO_LEVELS: readonly Level[] = [];

/**
 * The depth that `data` of a publication is; undefined where it is none. Bids or asks that are absent or null have no
 * levels, if the others are there. Only an `isSnapshot` of true makes a snapshot.
 */
export function readDepth(data: unknown): Depth | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { bids, asks, isSnapshot } = data as { bids?: unknown; asks?: unknown; isSnapshot?: unknown };
  const none = (bids ?? asks ?? undefined) === undefined;
  if (none || !areLevels(bids) || !areLevels(asks)) return undefined;
  return { bids: bids ?? NO_LEVELS, asks: asks ?? NO_LEVELS, isSnapshot: isSnapshot === true };
}

/** The price as a number, never -0: `"1.10"`, `"1.1"` and 1.1 are one price. */
export function priceOf(level: Level): number {
  return numberOf(level[0]) + 0;
}

/** True where the size is 0, -0, `"0"`, `"0.00"`: the level is gone. */
export function isDeletion(level: Level): boolean {
  return numberOf(level[1]) === 0;
}

function areLevels(side: unknown): side is readonly Level[] | undefined | null {
  if (side === undefined || side === null) return true;
  if (!Array.isArray(side)) return false;
  for (let index = 0; index < side.length; index++) {
    const level: unknown = side[index];
    if (!Array.isArray(level) || !isFigure(level[0]) || !isFigure(level[1])) return false;
  }
  return true;
}

function isFigure(value: unknown): value is Figure {
  return (typeof value === 'number' || typeof value === 'string') && Number.isFinite(numberOf(value));
}

function numberOf(figure: Figure): number {
  return typeof figure === 'number' ? figure : decimalNumber(figure);
}

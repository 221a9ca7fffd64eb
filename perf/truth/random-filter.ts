import type { Random } from '../../src/source/random.ts';
import type { GivenFilter } from './naive-matcher.ts';

const TYPES = ['trade', 'ticker', 'kline', 'depth', 'liquidation', 'kline_1m', 'orderbook', 'notice'];
const EXCHANGES = ['binance', 'KRAKEN', 'odd'];
const EVERYTHING_ODDS = 12;

/** A filter as some page may send it: by symbol most of the time, written in one way or another. */
export function randomFilter(random: Random, symbols: number): GivenFilter {
  if (random.below(EVERYTHING_ODDS) === 0) return {};
  const filter: GivenFilter = {};
  const kind = random.below(6);
  if (kind <= 3) filter.symbols = someOf(random, 3, () => randomSymbol(random, symbols));
  if (kind >= 2) filter.dataTypes = someOf(random, 2, () => TYPES[random.below(TYPES.length)] as string);
  if (kind === 5) filter.exchange = EXCHANGES[random.below(EXCHANGES.length)] as string;
  return filter;
}

function randomSymbol(random: Random, symbols: number): string {
  const n = random.below(symbols + 1);
  if (n === symbols) return 'odd';
  return random.below(2) === 0 ? `S${n}/USD` : `s${n}usd`;
}

function someOf(random: Random, most: number, one: () => string): string[] {
  return Array.from({ length: 1 + random.below(most) }, one);
}

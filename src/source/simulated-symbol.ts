import type { Random } from './random.ts';

/** Prices are whole ticks of a hundredth, so that the walk is exact and its decimals short. */
const TICKS_PER_UNIT = 100;
const FIRST_PRICE_TICKS_MIN = 10_000;
const FIRST_PRICE_OCTAVES = 9;

/** A step is at most this part of the price, either way. */
const STEP_PART = 1 / 2_000;

/** The walk turns back at a quarter and at four times the first price. */
const RANGE_FACTOR = 4;

const DEPTH_LEVELS = 5;
const MS_PER_MINUTE = 60_000;
const QUANTITY_STEPS = 10_000;
const QUANTITY_UNIT = 1_000;

/**
 * One symbol of the simulated market: a random walk, and the `data` of each type made from it. `tsUs`, the due time in µs,
 * stands first in each: load generators look for it near the start of a frame.
 */
export class SimulatedSymbol {
  readonly name: string;
  readonly #random: Random;
  readonly #floorTicks: number;
  readonly #ceilingTicks: number;
  readonly #openTicks: number;
  #ticks: number;
  #highTicks: number;
  #lowTicks: number;
  #volume = 0;
  #trades = 0;
  #candle = -1;
  #candleOpenTimeMs = 0;
  #candleOpen = 0;
  #candleHigh = 0;
  #candleLow = 0;
  #candleVolume = 0;
  /** Quantities by price in ticks. */
  readonly #bids = new Map<number, number>();
  readonly #asks = new Map<number, number>();

  constructor(name: string, random: Random) {
    this.name = name;
    this.#random = random;
    const octave = random.below(FIRST_PRICE_OCTAVES);
    this.#ticks = (FIRST_PRICE_TICKS_MIN + random.below(FIRST_PRICE_TICKS_MIN)) * 2 ** octave;
    this.#openTicks = this.#ticks;
    this.#highTicks = this.#ticks;
    this.#lowTicks = this.#ticks;
    this.#floorTicks = this.#ticks / RANGE_FACTOR;
    this.#ceilingTicks = this.#ticks * RANGE_FACTOR;
  }

  trade(tsUs: number, timestamp: number) {
    this.#step();
    const quantity = this.#quantity();
    this.#volume += quantity;
    this.#candleVolume += quantity;
    this.#trades++;
    const side = this.#random.below(2) === 0 ? 'buy' : 'sell';
    return { ts: tsUs, id: this.#trades, price: this.#ticks / TICKS_PER_UNIT, quantity, side, timestamp };
  }

  ticker(tsUs: number) {
    this.#step();
    return {
      ts: tsUs,
      lastPrice: this.#ticks / TICKS_PER_UNIT,
      bidPrice: (this.#ticks - 1) / TICKS_PER_UNIT,
      askPrice: (this.#ticks + 1) / TICKS_PER_UNIT,
      change24h: Math.round((this.#ticks / this.#openTicks - 1) * 10_000) / 100,
      volume24h: Math.round(this.#volume * QUANTITY_UNIT) / QUANTITY_UNIT,
      high24h: this.#highTicks / TICKS_PER_UNIT,
      low24h: this.#lowTicks / TICKS_PER_UNIT,
    };
  }

  /** @param minute of the market, from 0; a candle ends where it changes */
  kline(tsUs: number, timestamp: number, minute: number) {
    this.#step();
    if (minute !== this.#candle) this.#openCandle(minute, timestamp);
    return {
      ts: tsUs,
      open: this.#candleOpen / TICKS_PER_UNIT,
      high: this.#candleHigh / TICKS_PER_UNIT,
      low: this.#candleLow / TICKS_PER_UNIT,
      close: this.#ticks / TICKS_PER_UNIT,
      volume: Math.round(this.#candleVolume * QUANTITY_UNIT) / QUANTITY_UNIT,
      openTime: this.#candleOpenTimeMs,
      closeTime: this.#candleOpenTimeMs + MS_PER_MINUTE - 1,
      interval: '1m',
    };
  }

  /** The first is the whole book, of a few levels a side; the others say what has changed, a quantity of 0 what is gone. */
  depth(tsUs: number, timestamp: number) {
    this.#step();
    const isSnapshot = this.#bids.size === 0;
    const [bids, asks] = [this.#levels(this.#bids, -1), this.#levels(this.#asks, 1)];
    return { ts: tsUs, bids, asks, updateTime: timestamp, isSnapshot };
  }

  #step(): void {
    const reach = Math.max(2, Math.floor(this.#ticks * STEP_PART));
    let ticks = this.#ticks + this.#random.below(2 * reach + 1) - reach;
    if (ticks < this.#floorTicks || ticks > this.#ceilingTicks) ticks = 2 * this.#ticks - ticks;
    this.#ticks = ticks;
    if (ticks > this.#highTicks) this.#highTicks = ticks;
    if (ticks < this.#lowTicks) this.#lowTicks = ticks;
    if (ticks > this.#candleHigh) this.#candleHigh = ticks;
    if (ticks < this.#candleLow) this.#candleLow = ticks;
  }

  #openCandle(minute: number, timestamp: number): void {
    this.#candle = minute;
    this.#candleOpenTimeMs = timestamp;
    this.#candleOpen = this.#ticks;
    this.#candleHigh = this.#ticks;
    this.#candleLow = this.#ticks;
    this.#candleVolume = 0;
  }

  #levels(side: Map<number, number>, direction: -1 | 1): [number, number][] {
    const levels: [number, number][] = [];
    for (let level = 1; level <= DEPTH_LEVELS; level++) {
      const ticks = this.#ticks + direction * level;
      const quantity = this.#quantity();
      side.set(ticks, quantity);
      levels.push([ticks / TICKS_PER_UNIT, quantity]);
    }
    for (const ticks of side.keys()) {
      const level = (ticks - this.#ticks) * direction;
      if (level >= 1 && level <= DEPTH_LEVELS) continue;
      side.delete(ticks);
      levels.push([ticks / TICKS_PER_UNIT, 0]);
    }
    return levels;
  }

  #quantity(): number {
    return (1 + this.#random.below(QUANTITY_STEPS)) / QUANTITY_UNIT;
  }
}

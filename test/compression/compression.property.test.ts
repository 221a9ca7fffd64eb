import { describe, expect, it } from 'vitest';
import { CompressingPool } from '../support/compressing-pool.ts';
import { inflateFrames } from '../support/inflated-frames.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';
import type { PoolClient } from '../support/test-pool.ts';

const RUNS = 60;
const STEPS = 300;
const SYMBOLS = ['A', 'B'];
const FILTERS = [{}, { symbols: 'A' }, { symbols: ['A', 'B'] }];
const WINDOW_BITS = [0, 9, 9, 12, 15, 15, 15, 15];

interface Wanted extends PoolClient {
  everything: boolean;
  symbols: Set<string>;
  windowBits: number;
  /** Texts that it is to get, in order. */
  texts: string[];
}

/** A pool that compresses, its clients, and beside each what it has to get. */
class PoolAndModel {
  readonly #random: SeededRandom;
  readonly #pool: CompressingPool;
  readonly #clients: Wanted[] = [];
  #number = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#pool = new CompressingPool(
      { level: random.between(1, 9), minMembers: random.between(1, 4), maxStreams: 3 },
      {
        batchBytesMax: random.below(3) === 0 ? 2_000 : 1_000_000,
        highWaterBytes: random.below(2) === 0 ? 1_000 : 1e9,
      },
    );
  }

  step(): void {
    const random = this.#random;
    this.#pool.nowMs += random.below(30);
    const action = random.below(22);
    if (action < 10) return this.#publish();
    if (action < 14) return this.#pool.flushAll();
    if (action === 14) return this.#pool.compression.sweep(this.#pool.nowMs);
    if (action === 15) return this.#pool.statistics.set('loopUtilization', random.below(4) === 0 ? 1 : 0.5);
    if (action === 16 || this.#clients.length === 0) return this.#connect();
    this.#change(action, this.#clients[random.below(this.#clients.length)]!);
  }

  /** Lets everything through, and compares what each client makes of its bytes with what it was to get. */
  async check(): Promise<void> {
    this.#pool.flushAll();
    let bytes = 0;
    for (const { connection, socket, windowBits, texts } of this.#clients) {
      socket.open();
      bytes += socket.received.length;
      const got = (await inflateFrames(socket.received, windowBits)).map(({ text }) => text);
      const noted = this.#pool.noted.get(connection) ?? [];
      const all = [...got, ...noted].toSorted(byNumber);
      // Compared as a whole: what differs would fill the screen.
      expect(all.map(numberOf)).toEqual(texts.slice(0, all.length).map(numberOf));
      expect(all.every((text, i) => text === texts[i])).toBe(true);
      if (connection.state === 'open') expect(all.length).toBe(texts.length);
      expect(got.map(numberOf)).toEqual(got.toSorted(byNumber).map(numberOf));
      expect([connection.messagesSent, connection.bytesSent]).toEqual([got.length, socket.received.length]);
    }
    expect(this.#pool.statistics.get('bytesForwarded')).toBe(bytes);
  }

  get framesCompressed(): number {
    return this.#pool.statistics.get('framesCompressed');
  }

  #connect(): void {
    const windowBits = WINDOW_BITS[this.#random.below(WINDOW_BITS.length)]!;
    const everything = this.#random.below(4) > 0;
    const client = this.#pool.client(everything ? 'firehose' : undefined, windowBits);
    this.#clients.push({ ...client, windowBits, everything, symbols: new Set(), texts: [] });
  }

  #publish(): void {
    const symbol = SYMBOLS[this.#random.below(SYMBOLS.length)]!;
    const length = this.#random.below(20) === 0 ? this.#random.below(80_000) : this.#random.below(400);
    const number = this.#number++;
    const text = `${number}:${symbol}`.padEnd(length, `{"price":${number % 7},"quantity":${number % 13}}`);
    for (const { connection, everything, symbols, texts } of this.#clients) {
      if ((everything || symbols.has(symbol)) && connection.state === 'open') texts.push(text);
    }
    this.#pool.publish(symbol, text);
  }

  #change(action: number, client: Wanted): void {
    const { connection, socket } = client;
    if (action === 17) return socket.shut();
    if (action === 18) return socket.open();
    if (connection.state !== 'open') return;
    if (action === 19) {
      if (connection.backlog !== undefined) this.#pool.rejoin(connection);
      else this.#pool.pool.settle(connection);
    } else if (action === 20) {
      const filter = FILTERS[this.#random.below(FILTERS.length)]!;
      this.#pool.subscribe(connection, filter);
      client.everything = false;
      for (const symbol of filter.symbols ?? SYMBOLS) client.symbols.add(symbol);
    } else if (this.#random.below(3) === 0) {
      this.#pool.disconnect(connection);
    } else {
      this.#pool.subscriptions.removeAllFilters(connection);
      client.symbols.clear();
    }
  }
}

function byNumber(one: string, other: string): number {
  return numberOf(one) - numberOf(other);
}

function numberOf(text: string): number {
  return Number(text.split(':', 1)[0]);
}

describe('compression, with clients that come, go, subscribe anew and stall at random', () => {
  it('has each client inflate, with its own window, exactly what it was to get', { timeout: 60_000 }, async () => {
    const random = new SeededRandom(seedOfRun('compression'));
    let framesCompressed = 0;
    for (let run = 0; run < RUNS; run++) {
      const pool = new PoolAndModel(random);
      for (let step = 0; step < STEPS; step++) pool.step();
      await pool.check();
      framesCompressed += pool.framesCompressed;
    }
    expect(framesCompressed).toBeGreaterThan(RUNS);
  });
});

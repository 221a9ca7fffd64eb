import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import { type SimulatorClock, SimulatorSource } from '../../src/source/simulator.ts';
import { nowUs } from '../../src/util/clock.ts';
import { CollectingSink } from '../support/collecting-sink.ts';

type Options = Config['source']['simulator'];

const START_US = 1_700_000_000_000_000;

const options = (changes: Partial<Options>): Options => ({
  exchange: 'binance',
  symbolPrefix: 'SYM',
  symbols: 2,
  rate: 1_000,
  types: ['trade'],
  payloadBytes: 0,
  seed: 1,
  ...changes,
});

/** Time that only moves when the test says so; at most one timer is set at a time. */
class ManualClock implements SimulatorClock {
  us = START_US;
  delayMs: number | undefined;
  turns = 0;
  /** What each look at the clock costs. */
  lookUs = 0;
  #turn: (() => void) | undefined;

  nowUs(): number {
    this.us += this.lookUs;
    return this.us;
  }

  after(delayMs: number, turn: () => void): () => void {
    this.delayMs = delayMs;
    this.#turn = turn;
    return () => {
      this.delayMs = undefined;
      this.#turn = undefined;
    };
  }

  /** Lets the timer come due, `lateUs` late. */
  fire(lateUs = 0): void {
    const turn = this.#turn as () => void;
    this.us += (this.delayMs as number) * 1_000 + lateUs;
    this.delayMs = undefined;
    this.#turn = undefined;
    this.turns++;
    turn();
  }

  /** Fires timers until `us` have passed. */
  pass(us: number): void {
    const endUs = this.us + us;
    while (this.delayMs !== undefined && this.us + this.delayMs * 1_000 <= endUs) this.fire();
    this.us = endUs;
  }
}

function started(changes: Partial<Options>) {
  const clock = new ManualClock();
  const sink = new CollectingSink();
  const source = new SimulatorSource(options(changes), clock);
  source.start(sink);
  return { clock, sink, source };
}

let running: SimulatorSource | undefined;
afterEach(() => running?.stop());

describe('SimulatorSource', () => {
  it('publishes at evenly spaced due times, told beside the publication and in it', () => {
    const { clock, sink } = started({ rate: 100 });
    clock.pass(1_000_000);
    expect(sink.dueUs).toEqual(Array.from({ length: 101 }, (_, index) => START_US + index * 10_000));
    expect(sink.publications.map(({ data }) => (data as { ts: number }).ts)).toEqual(sink.dueUs);
  });

  it('never publishes before the due time', () => {
    const { clock, sink } = started({ rate: 777 });
    for (let turn = 0; turn < 200; turn++) {
      clock.fire(turn % 7 === 0 ? 2_345 : 0);
      expect(sink.dueUs.at(-1)).toBeLessThanOrEqual(clock.us);
    }
  });

  it('wakes up once a publication at a low rate', () => {
    const { clock, sink } = started({ rate: 10 });
    clock.pass(10_000_000);
    expect(sink.publications).toHaveLength(101);
    expect(clock.turns).toBeLessThanOrEqual(102);
  });

  it('wakes up about once a millisecond at a high rate', () => {
    const { clock, sink } = started({ rate: 300_000 });
    clock.pass(100_000);
    expect(sink.publications.length).toBeGreaterThan(29_000);
    expect(clock.turns).toBeLessThanOrEqual(102);
  });

  it('sets no timer that it cannot hold, however low the rate', () => {
    const { clock, sink } = started({ rate: 1e-6 });
    clock.fire();
    expect(sink.publications).toHaveLength(1);
    expect(clock.delayMs).toBe(60_000);
  });

  it('makes up for a short stall at once', () => {
    const { clock, sink, source } = started({ rate: 1_000 });
    clock.fire();
    clock.fire(500_000);
    expect(sink.publications.length).toBeGreaterThanOrEqual(500);
    expect(source.skipped).toBe(0);
  });

  it('makes up for a second of a long stall and counts the rest as skipped', () => {
    const { clock, sink, source } = started({ rate: 1_000 });
    clock.fire();
    clock.fire(10_000_000);
    clock.pass(0);
    expect(sink.publications.length).toBeLessThanOrEqual(1_002);
    expect(source.skipped).toBeGreaterThan(8_990);
    expect(clock.us - (sink.dueUs.at(-1) as number)).toBeLessThan(1_000);
  });

  it('goes on with the same content after skipped due times', () => {
    const stalled = started({ rate: 1_000 });
    stalled.clock.fire();
    stalled.clock.fire(10_000_000);
    const smooth = started({ rate: 1_000 });
    smooth.clock.pass(900_000);
    const prices = ({ sink }: typeof smooth) =>
      sink.publications.slice(0, 900).map(({ data }) => (data as { price: number }).price);
    expect(prices(stalled)).toEqual(prices(smooth));
  });

  it('lets the event loop go on when there is more to publish than a turn allows', () => {
    const { clock, sink } = started({ rate: 1_000_000 });
    clock.lookUs = 1_000;
    clock.fire();
    clock.fire(900_000);
    expect(sink.publications.length).toBeGreaterThan(64);
    expect(sink.publications.length).toBeLessThan(1_000);
    expect(clock.delayMs).toBe(0);
  });

  it('sets no timer at a rate of 0', () => {
    const { clock, sink, source } = started({ rate: 0 });
    expect(clock.delayMs).toBeUndefined();
    expect(sink.publications).toHaveLength(0);
    expect(source.getState().status).toBe('active');
  });

  it('publishes nothing after a stop, and the same content again after another start', () => {
    const { clock, sink, source } = started({ rate: 1_000 });
    clock.pass(20_000);
    source.stop();
    source.stop();
    expect(clock.delayMs).toBeUndefined();
    expect(source.getState()).toMatchObject({ status: 'stopped', published: 21 });

    const second = new CollectingSink();
    source.start(second);
    clock.pass(20_000);
    const prices = (from: CollectingSink) => from.publications.map(({ data }) => (data as { price: number }).price);
    expect(prices(second)).toEqual(prices(sink));
    expect(source.getState().published).toBe(42);
  });

  it('stops at once when it is stopped from within a publication', () => {
    const clock = new ManualClock();
    const sink = new CollectingSink();
    const source = new SimulatorSource(options({ rate: 100_000 }), clock);
    sink.publish = (publication) => {
      sink.publications.push(publication);
      if (sink.publications.length === 3) source.stop();
    };
    source.start(sink);
    clock.fire(900_000);
    expect(sink.publications).toHaveLength(3);
    expect(clock.delayMs).toBeUndefined();
  });

  it('reports a sink that throws as its failure', () => {
    const clock = new ManualClock();
    const sink = new CollectingSink();
    sink.publish = () => {
      throw new Error('no room');
    };
    const source = new SimulatorSource(options({}), clock);
    source.start(sink);
    clock.fire();
    expect(sink.errors.map(({ message }) => message)).toEqual(['no room']);
    expect(source.getState()).toMatchObject({ status: 'failed', lastError: { message: 'no room' } });
    expect(clock.delayMs).toBeUndefined();
  });

  it('runs on the real clock', async () => {
    const sink = new CollectingSink();
    running = new SimulatorSource(options({ rate: 2_000 }));
    const begunUs = nowUs();
    running.start(sink);
    await vi.waitFor(() => expect(sink.publications.length).toBeGreaterThan(50), 20_000);
    expect(sink.dueUs[0]).toBeGreaterThanOrEqual(begunUs);
    expect(sink.dueUs[40]! - sink.dueUs[0]!).toBe(20_000);
    expect(running.getState().lastPublicationMs).toBeGreaterThan(0);
  });
});

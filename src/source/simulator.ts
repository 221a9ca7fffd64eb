import type { Config } from '../config/schema.ts';
import { nowUs } from '../util/clock.ts';
import { Pace } from './pace.ts';
import { SimulatedMarket } from './simulated-market.ts';
import type { Source, SourceSink, SourceState } from './source.ts';
import { SourceCounters } from './source-counters.ts';

/** Longest that one turn publishes before it lets the event loop go on, µs. */
const TURN_US_MAX = 4_000;

/** Publications between two looks at the clock, within a turn. */
const PUBLICATIONS_PER_LOOK = 64;

/** Longest timer, ms: a clock that was set is noticed by then, and no delay outgrows what a timer can hold. */
const TIMER_MS_MAX = 60_000;

const US_PER_MS = 1_000;

/** The time and the timers a simulator runs on; replaced by tests. */
export interface SimulatorClock {
  nowUs(): number;
  /** Calls `turn` once after about `delayMs`; 0: as soon as the event loop has gone round. Returns how to call it off. */
  after(delayMs: number, turn: () => void): () => void;
}

const systemClock: SimulatorClock = {
  nowUs,
  after(delayMs, turn) {
    if (delayMs === 0) {
      const immediate = setImmediate(turn);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(turn, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * What it is: a market made up from a seed, so that a gateway shows something the moment it runs, and benchmarks have a
 * load. Thread: the primary. In: nothing but the clock. Out: publications at evenly spaced due times.
 *
 * The wake-ups follow the rate: one timer a publication where they are far apart, one a millisecond where they are close,
 * none at a rate of 0. It never waits for slow shards, as a market does not.
 */
export class SimulatorSource implements Source {
  readonly name = 'simulator';
  readonly #options: Config['source']['simulator'];
  readonly #clock: SimulatorClock;
  readonly #counters = new SourceCounters(this.name);
  #sink: SourceSink | undefined;
  #market: SimulatedMarket | undefined;
  #pace: Pace | undefined;
  #skippedBefore = 0;
  #cancel: () => void = () => {};

  constructor(options: Config['source']['simulator'], clock: SimulatorClock = systemClock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Due times that passed unused, because the thread was held up for more than a second. */
  get skipped(): number {
    return this.#skippedBefore + (this.#pace?.skipped ?? 0);
  }

  /** The market begins anew at each start: the same content, from the first publication on. */
  start(sink: SourceSink): void {
    this.stop();
    this.#counters.status = 'active';
    if (this.#options.rate === 0) return;
    this.#sink = sink;
    this.#market = new SimulatedMarket(this.#options);
    this.#pace = new Pace(this.#options.rate, this.#clock.nowUs());
    this.#cancel = this.#clock.after(0, this.#turn);
  }

  stop(): void {
    this.#cancel();
    this.#skippedBefore = this.skipped;
    this.#pace = undefined;
    this.#sink = undefined;
    if (this.#counters.status === 'active') this.#counters.status = 'stopped';
  }

  getState(): SourceState {
    return this.#counters.state();
  }

  readonly #turn = (): void => {
    try {
      this.#publishDue();
    } catch (thrown) {
      const sink = this.#sink;
      this.stop();
      this.#counters.failed(thrown);
      sink?.failed(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  };

  /** Publishes what is due, for a bounded time, and sets the timer for the rest. */
  #publishDue(): void {
    const pace = this.#pace as Pace;
    const begunUs = this.#clock.nowUs();
    pace.align(begunUs);
    this.#publishUntil(pace, begunUs);
    if (this.#pace !== pace) return; // the sink has stopped the source
    const waitUs = pace.dueUs() - this.#clock.nowUs();
    this.#cancel = this.#clock.after(Math.min(TIMER_MS_MAX, Math.max(0, Math.ceil(waitUs / US_PER_MS))), this.#turn);
  }

  #publishUntil(pace: Pace, begunUs: number): void {
    const market = this.#market as SimulatedMarket;
    let published = 0;
    let dueUs = pace.dueUs();
    while (dueUs <= begunUs && this.#pace === pace) {
      (this.#sink as SourceSink).publish(market.next(dueUs), dueUs);
      pace.advance();
      dueUs = pace.dueUs();
      if (++published % PUBLICATIONS_PER_LOOK === 0 && this.#clock.nowUs() - begunUs > TURN_US_MAX) break;
    }
    if (published === 0) return;
    this.#counters.published += published;
    this.#counters.lastPublicationMs = Math.floor(begunUs / US_PER_MS);
  }
}

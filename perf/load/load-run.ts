import { setTimeout as sleep } from 'node:timers/promises';
import { followSteps } from '../../src/util/clock.ts';
import { GeneratorMeter } from './generator-meter.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { LatencyTimeline } from './latency-timeline.ts';
import { createShared, LoadConnection, type LoadShared } from './load-connection.ts';
import type { LoadOptions } from './load-options.ts';
import type { GeneratorPart, LoadPart, StalledReport } from './load-report.ts';

const TICK_MS = 2;
/** Handshakes under way at a time: more would only wait in the kernel's queue, and overflow it. */
const HANDSHAKES_MAX = 1_000;
const CLOSES_PER_TICK = 50;
/** Connections are cut off when none has ended for this long. */
const CLOSE_PATIENCE_MS = 1_500;

/** Where a process waits for the others: after all connections of all of them have settled. */
export type Gate = () => Promise<void>;

/** Called when counting begins and ends, to read the server's usage at the same moments. */
export interface LoadMarks {
  onStart?(): void;
  onEnd?(): void;
}

/**
 * One generator process: opens the connections with global indices `first`, `first + step`, …, warms up, counts, and
 * closes them. Never rejects for what a server does; that is in the report.
 */
export class LoadRun {
  readonly #options: LoadOptions;
  readonly #indices: number[] = [];
  readonly #connections: LoadConnection[] = [];
  readonly #latency = new LatencyHistogram();
  readonly #connectTimes = new LatencyHistogram();
  readonly #shared: LoadShared;
  #settled = 0;
  #openNow = 0;
  #ending = false;
  /** Connections that the server closed before the end. */
  readonly #closed = noCloses();
  readonly #stalledClosed = noCloses();

  constructor(options: LoadOptions, first = 0, step = 1) {
    this.#options = options;
    for (let index = first; index < options.connections; index += step) this.#indices.push(index);
    this.#shared = createShared(options, {
      latency: this.#latency,
      timeline: options.intervalMs > 0 ? new LatencyTimeline(options.intervalMs) : undefined,
      connectTimes: this.#connectTimes,
      onSettled: (connection) => this.#onSettled(connection),
      onClosed: (connection) => this.#onClosed(connection),
    });
  }

  async run(gate: Gate = async () => {}, marks: LoadMarks = {}): Promise<LoadPart> {
    const connectMs = await this.#openAll();
    const stopSlow = this.#startSlowReaders();
    await gate();
    await sleep(this.#options.warmupS * 1000);
    const measured = await this.#measure(marks);
    const part = this.#report(connectMs, measured);
    await this.#drainStalled();
    stopSlow();
    const stalled = this.#reportStalled();
    await this.#closeAll();
    return { ...part, stalled };
  }

  /** Resolves with the ms it took, when all have opened or failed or the time is up. */
  async #openAll(): Promise<number> {
    const { connectRate, connectTimeoutS, processes } = this.#options;
    const begunMs = performance.now();
    const total = this.#indices.length;
    let elapsedMs = 0;
    while (this.#settled < total && elapsedMs < connectTimeoutS * 1000) {
      const due = Math.min(total, Math.ceil((elapsedMs * connectRate) / processes / 1000) + 1);
      while (this.#connections.length < due && this.#connections.length - this.#settled < HANDSHAKES_MAX) {
        const index = this.#indices[this.#connections.length] as number;
        this.#connections.push(new LoadConnection(this.#shared, index));
      }
      await sleep(TICK_MS);
      elapsedMs = performance.now() - begunMs;
    }
    for (const connection of this.#connections) {
      if (connection.state !== 'connecting') continue;
      connection.failure = 'not open in time';
      connection.destroy();
    }
    return performance.now() - begunMs;
  }

  #startSlowReaders(): () => void {
    const slow = this.#connections.filter((connection) => connection.pace === 'slow');
    if (slow.length === 0) return () => {};
    const timer = setInterval(() => {
      for (const connection of slow) connection.readOnce();
    }, this.#options.slowIntervalMs);
    return () => clearInterval(timer);
  }

  /** Lets the stalled ones read at last, for as long as the options say or until all are closed. */
  async #drainStalled(): Promise<void> {
    const stalled = this.#connections.filter(({ pace, state }) => pace === 'stalled' && state === 'open');
    const deadlineMs = performance.now() + this.#options.drainS * 1000;
    for (const connection of stalled) connection.readOn();
    while (performance.now() < deadlineMs && stalled.some(({ state }) => state === 'open')) await sleep(TICK_MS);
  }

  async #measure(marks: LoadMarks): Promise<Measured> {
    const shared = this.#shared;
    followSteps();
    const readsBefore = shared.reads;
    for (const connection of this.#connections) connection.startMeasuring();
    const meter = new GeneratorMeter();
    marks.onStart?.();
    shared.measuring = true;
    await sleep(this.#options.seconds * 1000);
    shared.measuring = false;
    const measured = meter.stop();
    marks.onEnd?.();
    return { ...measured, reads: shared.reads - readsBefore };
  }

  #report(connectMs: number, measured: Measured): Omit<LoadPart, 'stalled'> {
    const shared = this.#shared;
    const readers = this.#connections.filter(({ pace }) => pace !== 'stalled');
    const steady = readers
      .filter(({ pace, state }) => state === 'open' && pace === 'steady')
      .map((one) => one.messages);
    const opened = this.#connections.filter(wasOpen).length;
    return {
      opened,
      failed: this.#indices.length - opened,
      failures: this.#failures(),
      closed: this.#closed.count,
      closeCodes: { ...this.#closed.codes },
      connectMs,
      connect: this.#connectTimes.toWire(),
      seconds: measured.seconds,
      deliveries: readers.reduce((total, one) => total + one.messages, 0),
      bytes: readers.reduce((total, one) => total + one.bytes, 0),
      reads: measured.reads,
      latency: this.#latency.toWire(),
      timeline: shared.timeline?.toWire() ?? [],
      sequenceSamples: shared.sequenceSamples,
      orderErrors: shared.orderErrors,
      protocolErrors: shared.protocolErrors,
      told: { ...shared.told },
      sequences: sumSequences(readers),
      perConnection: {
        count: steady.length,
        least: steady.reduce((least, messages) => Math.min(least, messages), steady[0] ?? 0),
        most: steady.reduce((most, messages) => Math.max(most, messages), 0),
        sum: steady.reduce((total, messages) => total + messages, 0),
      },
      generator: measured.generator,
    };
  }

  #reportStalled(): StalledReport {
    const stalled = this.#connections.filter(({ pace }) => pace === 'stalled');
    return {
      opened: stalled.filter(wasOpen).length,
      closed: this.#stalledClosed.count,
      closeCodes: { ...this.#stalledClosed.codes },
      messages: stalled.reduce((total, one) => total + one.messages, 0),
      bytes: stalled.reduce((total, one) => total + one.bytes, 0),
      ...this.#shared.toldStalled,
    };
  }

  #failures(): Record<string, number> {
    const failures: Record<string, number> = {};
    const count = (reason: string, n: number) => {
      if (n > 0) failures[reason] = (failures[reason] ?? 0) + n;
    };
    for (const connection of this.#connections) {
      if (connection.state === 'failed' || connection.state === 'connecting') count(connection.failure, 1);
    }
    count('not begun in time', this.#indices.length - this.#connections.length);
    return failures;
  }

  /** Says goodbye to all, some at a time, and cuts off those that do not answer. */
  async #closeAll(): Promise<void> {
    this.#ending = true;
    for (let at = 0; at < this.#connections.length; at += CLOSES_PER_TICK) {
      for (const connection of this.#connections.slice(at, at + CLOSES_PER_TICK)) connection.close();
      await sleep(TICK_MS);
    }
    let open = this.#openNow;
    let deadlineMs = performance.now() + CLOSE_PATIENCE_MS;
    while (this.#openNow > 0 && performance.now() < deadlineMs) {
      await sleep(TICK_MS);
      if (this.#openNow < open) deadlineMs = performance.now() + CLOSE_PATIENCE_MS;
      open = this.#openNow;
    }
    for (const connection of this.#connections) connection.destroy();
  }

  #onSettled(connection: LoadConnection): void {
    this.#settled++;
    if (connection.state === 'open') this.#openNow++;
  }

  #onClosed(connection: LoadConnection): void {
    this.#openNow--;
    if (this.#ending) return;
    const closed = connection.pace === 'stalled' ? this.#stalledClosed : this.#closed;
    closed.count++;
    closed.codes[connection.closeCode] = (closed.codes[connection.closeCode] ?? 0) + 1;
  }
}

interface Closes {
  count: number;
  codes: Record<string, number>;
}

function noCloses(): Closes {
  return { count: 0, codes: {} };
}

/** Over the connections that had got some at both times. */
function sumSequences(readers: readonly LoadConnection[]): LoadPart['sequences'] {
  const counted = readers.filter(({ sequenceAtStart }) => sequenceAtStart >= 0);
  return {
    count: counted.length,
    begin: counted.reduce((total, one) => total + one.sequenceAtStart, 0),
    end: counted.reduce((total, one) => total + one.sequence, 0),
  };
}

function wasOpen({ state }: LoadConnection): boolean {
  return state === 'open' || state === 'closed';
}

interface Measured {
  seconds: number;
  reads: number;
  generator: GeneratorPart;
}

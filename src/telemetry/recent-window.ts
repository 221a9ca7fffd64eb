import type { CounterTotals, DeliveryTotals } from './block-totals.ts';
import { addBuckets, HISTOGRAM_BUCKETS } from './histogram.ts';
import { type LatencySummary, latencySummary, NO_LATENCY } from './latency-summary.ts';
import { COUNTERS } from './statistics-block.ts';

/** All counts at one moment. None of them ever falls. */
export interface Snapshot {
  /** On a clock that never steps. */
  atMs: number;
  counters: CounterTotals;
  deliveries: DeliveryTotals;
  publications: number;
  /** CPU time of the process, µs. */
  cpuUs: number;
}

/** By how much the counts have risen in the last minute or so. Raw, so that what several instances tell adds up. */
export interface RecentRise {
  windowMs: number;
  counters: CounterTotals;
  deliveries: DeliveryTotals;
  publications: number;
  /** CPU time of the process, µs. */
  cpuUs: number;
}

/** What happened in the last minute or so. All rates are 0 while nothing was sampled yet. */
export interface RecentFigures {
  /** How far back the figures reach. */
  windowMs: number;
  deliveries: number;
  messagesPerSecond: number;
  bytesPerSecond: number;
  publicationsPerSecond: number;
  commandsPerSecond: number;
  errorsPerSecond: number;
  connectionsClosedPerMinute: number;
  /** Errors for each thing that could have gone wrong, 0..1, see `errorRate` below. */
  errorRate: number;
  /** CPU of the process in percent of one core; 250 means two and a half cores. */
  cpuPercent: number;
  latency: LatencySummary;
}

/**
 * A quiet minute counts as one with so many events: one bad message among three says little about the gateway. So it
 * takes more than 10 errors a minute to pass 1 %.
 */
export const EVENTS_MIN = 1_000;

const SPAN_MS = 60_000;
/** Snapshots that lie closer together than this are not kept, so that there are never many. */
const SPACING_MS = 500;
/** A window shorter than this does not make a rate. */
const WINDOW_MS_MIN = 1_000;

/**
 * Tells recent figures from counts that are never reset: keeps a snapshot a second, and takes the oldest from the newest.
 * Holds some 120 snapshots at most, 4 KiB each.
 */
export class RecentWindow {
  readonly #take: () => Snapshot;
  readonly #spanMs: number;
  readonly #snapshots: Snapshot[];

  constructor(take: () => Snapshot, spanMs = SPAN_MS) {
    this.#take = take;
    this.#spanMs = spanMs;
    this.#snapshots = [take()];
  }

  /** Call once a second. */
  sample(): void {
    const snapshots = this.#snapshots;
    const snapshot = this.#take();
    if (snapshot.atMs - (snapshots.at(-1) as Snapshot).atMs < SPACING_MS) return;
    snapshots.push(snapshot);
    while (snapshots.length > 2 && snapshot.atMs - (snapshots[1] as Snapshot).atMs >= this.#spanMs) snapshots.shift();
  }

  /** From the oldest snapshot up to this moment. */
  rise(): RecentRise {
    return riseBetween(this.#snapshots[0] as Snapshot, this.#take());
  }
}

function riseBetween(from: Snapshot, to: Snapshot): RecentRise {
  return {
    windowMs: to.atMs - from.atMs,
    counters: riseOfCounters(from.counters, to.counters),
    deliveries: riseOfDeliveries(from.deliveries, to.deliveries),
    publications: rise(from.publications, to.publications),
    cpuUs: to.cpuUs - from.cpuUs,
  };
}

function rise(from: number, to: number): number {
  return Math.max(0, to - from);
}

function riseOfCounters(from: CounterTotals, to: CounterTotals): CounterTotals {
  return Object.fromEntries(COUNTERS.map((name) => [name, rise(from[name], to[name])])) as CounterTotals;
}

function riseOfDeliveries(from: DeliveryTotals, to: DeliveryTotals): DeliveryTotals {
  return {
    count: rise(from.count, to.count),
    bytes: rise(from.bytes, to.bytes),
    latencySumUs: rise(from.latencySumUs, to.latencySumUs),
    buckets: to.buckets.map((count, index) => rise(from.buckets[index] as number, count)),
  };
}

/** The figures of one instance, or of several together: each rate is over its own window, and they add up. */
export function recentFigures(rises: readonly RecentRise[]): RecentFigures {
  const sum = (figure: (rise: RecentRise) => number) => rises.reduce((sum, rise) => sum + figure(rise), 0);
  const rate = (figure: (rise: RecentRise) => number) => sum((rise) => figure(rise) / secondsOf(rise));
  const counted = (name: keyof CounterTotals) => sum(({ counters }) => counters[name]);
  const deliveries = sum(({ deliveries }) => deliveries.count);
  return {
    windowMs: Math.round(rises.reduce((longest, { windowMs }) => Math.max(longest, windowMs), 0)),
    deliveries,
    messagesPerSecond: rate(({ deliveries }) => deliveries.count),
    bytesPerSecond: rate(({ deliveries }) => deliveries.bytes),
    publicationsPerSecond: rate(({ publications }) => publications),
    commandsPerSecond: rate(({ counters }) => counters.commands),
    errorsPerSecond: rate(({ counters }) => counters.errors),
    connectionsClosedPerMinute: rate(({ counters }) => counters.connectionsClosed) * 60,
    errorRate: errorRate(counted, deliveries),
    cpuPercent: (rate(({ cpuUs }) => cpuUs) / 1e6) * 100,
    latency: recentLatency(rises, deliveries),
  };
}

function secondsOf({ windowMs }: RecentRise): number {
  return Math.max(windowMs, WINDOW_MS_MIN) / 1_000;
}

/** errors / (deliveries + commands + handshakes), at most 1. */
function errorRate(counted: (name: keyof CounterTotals) => number, deliveries: number): number {
  const handshakes = counted('connectionsAccepted') + counted('connectionsRefused') + counted('handshakesFailed');
  const events = deliveries + counted('commands') + handshakes;
  return Math.min(1, counted('errors') / Math.max(events, EVENTS_MIN));
}

function recentLatency(rises: readonly RecentRise[], deliveries: number): LatencySummary {
  if (deliveries === 0) return NO_LATENCY;
  const buckets = new Float64Array(HISTOGRAM_BUCKETS);
  for (const { deliveries } of rises) addBuckets(buckets, deliveries.buckets);
  return latencySummary(
    buckets,
    rises.reduce((sum, { deliveries }) => sum + deliveries.latencySumUs, 0),
  );
}

import type { CounterTotals, DeliveryTotals } from './block-totals.ts';
import { HISTOGRAM_BUCKETS } from './histogram.ts';
import { type LatencySummary, latencySummary, NO_LATENCY } from './latency-summary.ts';

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
  recent(): RecentFigures {
    return difference(this.#snapshots[0] as Snapshot, this.#take());
  }
}

function difference(from: Snapshot, to: Snapshot): RecentFigures {
  const windowMs = to.atMs - from.atMs;
  const seconds = Math.max(windowMs, WINDOW_MS_MIN) / 1_000;
  const rise = (name: keyof CounterTotals) => Math.max(0, to.counters[name] - from.counters[name]);
  const deliveries = Math.max(0, to.deliveries.count - from.deliveries.count);
  return {
    windowMs: Math.round(windowMs),
    deliveries,
    messagesPerSecond: deliveries / seconds,
    bytesPerSecond: Math.max(0, to.deliveries.bytes - from.deliveries.bytes) / seconds,
    publicationsPerSecond: Math.max(0, to.publications - from.publications) / seconds,
    commandsPerSecond: rise('commands') / seconds,
    errorsPerSecond: rise('errors') / seconds,
    connectionsClosedPerMinute: (rise('connectionsClosed') / seconds) * 60,
    errorRate: errorRate(rise, deliveries),
    cpuPercent: ((to.cpuUs - from.cpuUs) / (seconds * 1e6)) * 100,
    latency: recentLatency(from.deliveries, to.deliveries),
  };
}

/** errors / (deliveries + commands + handshakes), at most 1. */
function errorRate(rise: (name: keyof CounterTotals) => number, deliveries: number): number {
  const handshakes = rise('connectionsAccepted') + rise('connectionsRefused') + rise('handshakesFailed');
  const events = deliveries + rise('commands') + handshakes;
  return Math.min(1, rise('errors') / Math.max(events, EVENTS_MIN));
}

function recentLatency(from: DeliveryTotals, to: DeliveryTotals): LatencySummary {
  if (to.count === from.count) return NO_LATENCY;
  const buckets = new Float64Array(HISTOGRAM_BUCKETS);
  for (let i = 0; i < HISTOGRAM_BUCKETS; i++) {
    buckets[i] = Math.max(0, (to.buckets[i] as number) - (from.buckets[i] as number));
  }
  return latencySummary(buckets, Math.max(0, to.latencySumUs - from.latencySumUs));
}

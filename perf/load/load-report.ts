import type { HistogramSummary } from '../../src/telemetry/histogram.ts';
import type { ProcessUsage } from '../lib/process-usage.ts';
import { type HistogramWire, LatencyHistogram } from './latency-histogram.ts';
import { mergeTimelines, type TimelineInterval } from './latency-timeline.ts';
import type { Told } from './load-connection.ts';

/** Above this much of a core, or of its loop, a generator process is no longer sure to keep up. */
export const SATURATED_CORES = 0.9;
export const SATURATED_LOOP = 0.97;

/** Connections that never read before the end; counts since they opened. */
export interface StalledReport extends Told {
  opened: number;
  /** Those that the server closed before the run was over, by close code as they read it at the end. */
  closed: number;
  closeCodes: Record<string, number>;
  /** What they read at the end. */
  messages: number;
  bytes: number;
}

/**
 * What one generator process did. Counts and bytes are those of the measured time, and of all but the stalled
 * connections; what they were told, order and protocol errors are those of the whole run.
 */
export interface LoadPart {
  opened: number;
  failed: number;
  failures: Record<string, number>;
  closed: number;
  closeCodes: Record<string, number>;
  connectMs: number;
  connect: HistogramWire;
  seconds: number;
  deliveries: number;
  bytes: number;
  reads: number;
  latency: HistogramWire;
  timeline: TimelineInterval[];
  sequenceSamples: number;
  orderErrors: number;
  protocolErrors: number;
  told: Told;
  /** `seq` of the last sampled message of each connection when counting begins and ends, added up. */
  sequences: { count: number; begin: number; end: number };
  /** Messages of each connection that was open all the time and not slow. */
  perConnection: { count: number; least: number; most: number; sum: number };
  stalled: StalledReport;
  generator: GeneratorPart;
}

export interface GeneratorPart {
  cores: number;
  loopUtilization: number;
  loopDelayP99Ms: number;
  loopDelayMaxMs: number;
  residentMib: number;
}

/**
 * The line that `perf/load/main.ts` prints. Times in µs where the name has no unit. From `closed` on, stalled
 * connections are left out; those that could not be opened are among the failed ones.
 */
export interface LoadReport extends Told {
  asked: number;
  opened: number;
  failed: number;
  /** Why connections failed, and how many. */
  failures: Record<string, number>;
  /** Connections that the server ended before the run was over, by close code. */
  closed: number;
  closeCodes: Record<string, number>;
  /** From the first connect to the last handshake. */
  connectMs: number;
  connectUs: HistogramSummary;
  seconds: number;
  deliveries: number;
  deliveriesPerS: number;
  mibPerS: number;
  /** Header included. */
  bytesPerDelivery: number;
  /** Messages in a socket read: at least what the server puts into a write. */
  messagesPerRead: number;
  latencyUs: HistogramSummary;
  /** Where `--buckets 1` is given. */
  latency?: HistogramWire;
  sequenceSamples: number;
  orderErrors: number;
  protocolErrors: number;
  /** `seq` of the last sampled message when counting begins and ends, on average over connections that had some. */
  sequence: { begin: number; end: number };
  perConnection: { least: number; most: number; mean: number };
  /** Where there are some. */
  stalled?: StalledReport;
  /** Where `--interval-ms` is given. */
  timeline?: TimelineInterval[];
  /** `saturated`: the generator itself was the limit, so nothing can be said about the server. */
  generator: GeneratorPart & { processes: number; saturated: boolean };
  server?: { cpuS: number; cores: number; cpuUsPerDelivery: number; residentMib: number };
}

/** Adds the parts up; percentiles are taken from the samples of all of them together. */
export function mergeParts(asked: number, parts: readonly LoadPart[]): Omit<LoadReport, 'server'> {
  const sum = (of: (part: LoadPart) => number) => parts.reduce((total, part) => total + of(part), 0);
  const most = (of: (part: LoadPart) => number) => parts.reduce((max, part) => Math.max(max, of(part)), 0);
  const sequences = (of: (one: LoadPart['sequences']) => number) => sum((part) => of(part.sequences));
  const seconds = most((part) => part.seconds);
  const deliveries = sum((part) => part.deliveries);
  const reads = sum((part) => part.reads);
  const bytes = sum((part) => part.bytes);
  const counted = parts.map((part) => part.perConnection).filter((counts) => counts.count > 0);
  const connections = counted.reduce((total, counts) => total + counts.count, 0);
  const stalled = mergeStalled(parts.map((part) => part.stalled));
  const timeline = mergeTimelines(parts.map((part) => part.timeline));
  return {
    asked,
    opened: sum((part) => part.opened),
    failed: sum((part) => part.failed),
    failures: mergeCounts(parts.map((part) => part.failures)),
    closed: sum((part) => part.closed),
    closeCodes: mergeCounts(parts.map((part) => part.closeCodes)),
    connectMs: Math.round(most((part) => part.connectMs)),
    connectUs: mergeHistograms(parts.map((part) => part.connect)),
    seconds: round(seconds, 3),
    deliveries,
    deliveriesPerS: Math.round(ratio(deliveries, seconds)),
    mibPerS: round(ratio(bytes / 1024 ** 2, seconds), 2),
    bytesPerDelivery: round(ratio(bytes, deliveries), 1),
    messagesPerRead: round(ratio(deliveries, reads), 2),
    latencyUs: mergeHistograms(parts.map((part) => part.latency)),
    sequenceSamples: sum((part) => part.sequenceSamples),
    orderErrors: sum((part) => part.orderErrors),
    protocolErrors: sum((part) => part.protocolErrors),
    ...mergeTold(parts.map((part) => part.told)),
    sequence: {
      begin: round(
        ratio(
          sequences((one) => one.begin),
          sequences((one) => one.count),
        ),
        1,
      ),
      end: round(
        ratio(
          sequences((one) => one.end),
          sequences((one) => one.count),
        ),
        1,
      ),
    },
    perConnection: {
      least: counted.reduce((min, counts) => Math.min(min, counts.least), counted[0]?.least ?? 0),
      most: counted.reduce((max, counts) => Math.max(max, counts.most), 0),
      mean: round(
        ratio(
          counted.reduce((total, counts) => total + counts.sum, 0),
          connections,
        ),
        1,
      ),
    },
    generator: mergeGenerators(parts),
    ...(stalled.opened > 0 ? { stalled } : {}),
    ...(timeline.length > 0 ? { timeline } : {}),
  };
}

function mergeTold(all: readonly Told[]): Told {
  const sum = (of: (told: Told) => number) => all.reduce((total, told) => total + of(told), 0);
  return {
    gaps: sum((told) => told.gaps),
    gapPublications: sum((told) => told.gapPublications),
    connectionsWithGap: sum((told) => told.connectionsWithGap),
    mergedSampled: sum((told) => told.mergedSampled),
    snapshotsSampled: sum((told) => told.snapshotsSampled),
  };
}

function mergeStalled(all: readonly StalledReport[]): StalledReport {
  const sum = (of: (stalled: StalledReport) => number) => all.reduce((total, stalled) => total + of(stalled), 0);
  return {
    opened: sum((stalled) => stalled.opened),
    closed: sum((stalled) => stalled.closed),
    closeCodes: mergeCounts(all.map((stalled) => stalled.closeCodes)),
    messages: sum((stalled) => stalled.messages),
    bytes: sum((stalled) => stalled.bytes),
    ...mergeTold(all),
  };
}

function mergeGenerators(parts: readonly LoadPart[]): LoadReport['generator'] {
  const most = (of: (part: GeneratorPart) => number) => Math.max(...parts.map((part) => of(part.generator)));
  const sum = (of: (part: GeneratorPart) => number) => parts.reduce((total, part) => total + of(part.generator), 0);
  return {
    processes: parts.length,
    cores: round(
      sum((part) => part.cores),
      2,
    ),
    loopUtilization: round(
      most((part) => part.loopUtilization),
      3,
    ),
    loopDelayP99Ms: round(
      most((part) => part.loopDelayP99Ms),
      1,
    ),
    loopDelayMaxMs: round(
      most((part) => part.loopDelayMaxMs),
      1,
    ),
    residentMib: round(
      sum((part) => part.residentMib),
      1,
    ),
    saturated: parts.some(
      ({ generator }) => generator.cores > SATURATED_CORES || generator.loopUtilization > SATURATED_LOOP,
    ),
  };
}

/** What the server processes used between two readings. */
export function serverUsage(
  before: ProcessUsage,
  after: ProcessUsage,
  seconds: number,
  deliveries: number,
): NonNullable<LoadReport['server']> {
  const cpuS = after.cpuSeconds - before.cpuSeconds;
  return {
    cpuS: round(cpuS, 2),
    cores: round(ratio(cpuS, seconds), 3),
    cpuUsPerDelivery: round(ratio(cpuS * 1e6, deliveries), 3),
    residentMib: round(after.residentMib, 1),
  };
}

/** The buckets of all of them together. */
export function mergeWires(wires: readonly HistogramWire[]): HistogramWire {
  const merged = new LatencyHistogram();
  for (const wire of wires) merged.merge(wire);
  return merged.toWire();
}

export function mergeHistograms(wires: readonly HistogramWire[]): HistogramSummary {
  const merged = new LatencyHistogram();
  for (const wire of wires) merged.merge(wire);
  return merged.summary();
}

function mergeCounts(counts: readonly Record<string, number>[]): Record<string, number> {
  const merged: Record<string, number> = {};
  for (const one of counts) for (const [key, n] of Object.entries(one)) merged[key] = (merged[key] ?? 0) + n;
  return merged;
}

function ratio(value: number, by: number): number {
  return by > 0 ? value / by : 0;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

import type { DataFlowStats } from '../dataflow/data-flow-stats.ts';
import type { PressureStage, PressureState } from '../telemetry/pressure-stages.ts';
import type { NumberingFigures, RingFigures } from './admin-context.ts';

/**
 * The figures of several primaries as those of one. What each has of its own adds up; what all have alike is told once, as
 * the most that one has: topics, the size of the ring, output channels, routing rules.
 */
export function ringOfAll(rings: readonly RingFigures[]): RingFigures {
  return {
    publications: sum(rings, ({ publications }) => publications),
    numbering: numberingOfAll(rings.map(({ numbering }) => numbering)),
    bytes: sum(rings, ({ bytes }) => bytes),
    refused: addedUp(rings.map(({ refused }) => refused)),
    topics: most(rings, ({ topics }) => topics),
    position: sum(rings, ({ position }) => position),
    capacityBytes: most(rings, ({ capacityBytes }) => capacityBytes),
    latestValues: {
      carried: sum(rings, ({ latestValues }) => latestValues.carried),
      forgotten: sum(rings, ({ latestValues }) => latestValues.forgotten),
    },
  };
}

/** They number alike where all go by their source, under one name. */
function numberingOfAll(numberings: readonly NumberingFigures[]): NumberingFigures {
  const holes = sum(numberings, (numbering) => numbering.holes);
  const [first, ...others] = numberings;
  if (first === undefined) return { kind: 'open', holes };
  const { epoch, kind } = first;
  if (others.every((other) => other.epoch === epoch)) return { ...(epoch === undefined ? {} : { epoch }), kind, holes };
  return { kind: numberings.some((other) => other.kind === 'own') ? 'own' : 'open', holes };
}

export function dataFlowOfAll(flows: readonly DataFlowStats[]): DataFlowStats {
  const totalProcessed = sum(flows, (flow) => flow.totalProcessed);
  const latencySum = sum(flows, ({ averageLatency, totalProcessed }) => averageLatency * totalProcessed);
  return {
    totalProcessed,
    totalSent: sum(flows, ({ totalSent }) => totalSent),
    totalErrors: sum(flows, ({ totalErrors }) => totalErrors),
    averageLatency: totalProcessed === 0 ? 0 : latencySum / totalProcessed,
    currentQueueSize: sum(flows, ({ currentQueueSize }) => currentQueueSize),
    backpressureActive: flows.some(({ backpressureActive }) => backpressureActive),
    activeChannels: most(flows, ({ activeChannels }) => activeChannels),
    routingRules: most(flows, ({ routingRules }) => routingRules),
    lastActivity: most(flows, ({ lastActivity }) => lastActivity),
    totalUnrouted: sum(flows, ({ totalUnrouted }) => totalUnrouted),
    totalDropped: sum(flows, ({ totalDropped }) => totalDropped),
    errorsByCode: addedUp(flows.map(({ errorsByCode }) => errorsByCode)),
  };
}

/** The highest stage that an instance is at, and the steps of all. */
export function pressureOfAll(pressures: readonly PressureState[]): PressureState {
  return {
    stage: most(pressures, ({ stage }) => stage) as PressureStage,
    steps: addedUp(pressures.map(({ steps }) => steps)) as PressureState['steps'],
  };
}

export function sum<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((total, item) => total + figure(item), 0);
}

export function most<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((highest, item) => Math.max(highest, figure(item)), 0);
}

/** Key by key. */
function addedUp(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const record of records) {
    for (const [key, value] of Object.entries(record)) totals[key] = (totals[key] ?? 0) + value;
  }
  return totals;
}

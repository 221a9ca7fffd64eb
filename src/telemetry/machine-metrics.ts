import { Gauge, Registry } from 'prom-client';
import type { HealthLevel } from './health.ts';
import { oneOf, type Sample } from './metric-row.ts';

/** What is so of all instances together, and of none of them alone. */
export interface MachineReading {
  health: HealthLevel;
  /** Instances by state, see docs/operation.md. */
  instances: Readonly<Record<string, number>>;
}

/** As a MetricRow, but told of the machine: nothing of it is put together from the instances' own samples. */
export interface MachineRow {
  name: string;
  type: 'gauge';
  help: string;
  labels: readonly string[];
  read(reading: MachineReading): readonly Sample[];
}

const HEALTH_LEVELS: readonly HealthLevel[] = ['healthy', 'degraded', 'unhealthy'];

export const MACHINE_METRICS: readonly MachineRow[] = [
  {
    name: 'tickcast_health',
    type: 'gauge',
    help: 'Health of the gateway: 1 at the status it has, 0 at the others',
    labels: ['status'],
    read: ({ health }) => oneOf(HEALTH_LEVELS, health, (status) => ({ status })),
  },
  {
    name: 'tickcast_instances',
    type: 'gauge',
    help: 'Instances that share the port, by whether they answered',
    labels: ['state'],
    read: ({ instances }) => Object.entries(instances).map(([state, value]) => ({ labels: { state }, value })),
  },
];

/** The text of these metrics. */
export function renderMachine(reading: MachineReading): Promise<string> {
  const registry = new Registry();
  for (const { name, help, labels, read } of MACHINE_METRICS) {
    const gauge = new Gauge({ name, help, labelNames: [...labels], registers: [registry] });
    for (const { labels, value } of read(reading)) gauge.set(labels, value);
  }
  return registry.metrics();
}

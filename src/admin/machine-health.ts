import type { InstanceFigures } from '../telemetry/figures.ts';
import { connectionsOf, memoryMb } from '../telemetry/figures.ts';
import type { HealthLevel, HealthReason, HealthStatus } from '../telemetry/health.ts';
import { recentFigures } from '../telemetry/recent-window.ts';
import { most } from './added-up.ts';
import type { InstanceReport } from './instance-report.ts';

/** The health of all instances together: the shape of one's, and each reason says whose it is. */
export interface MachineHealth extends HealthStatus {
  reasons: MachineReason[];
  alerts: (HealthStatus['alerts'][number] & { process: number })[];
}

/** @property process the instance; missing where it is a reason of the machine's */
type MachineReason = HealthReason & { process?: number };

/** @param silent instances that should have answered and did not */
export function machineHealth(reports: readonly InstanceReport[], silent: number): MachineHealth {
  const figures: InstanceFigures[] = reports.map((report) => report.figures);
  const { latency, cpuPercent } = recentFigures(figures.map(({ rise }) => rise));
  const lastError = latestError(reports);
  return {
    ...(reports[0] as InstanceReport).health,
    status: machineLevel(
      reports.map(({ health }) => health.status),
      silent,
    ),
    connections: connectionsOf(figures),
    uptime: most(reports, ({ uptimeMs }) => uptimeMs),
    ...(lastError === undefined ? {} : { lastError }),
    performance: {
      avgLatency: latency.averageMs,
      memoryUsage: memoryMb(figures),
      cpuUsage: Math.round(cpuPercent * 10) / 10,
    },
    reasons: [...reports.flatMap(reasonsOf), ...silenceReasons(silent)],
    alerts: reports.flatMap(alertsOf),
  };
}

/**
 * Unhealthy where every instance that answers is: as long as one is not, the port is served. Degraded where one of them is
 * not healthy or does not answer.
 */
export function machineLevel(levels: readonly HealthLevel[], silent: number): HealthLevel {
  if (levels.every((level) => level === 'unhealthy')) return 'unhealthy';
  return silent > 0 || levels.some((level) => level !== 'healthy') ? 'degraded' : 'healthy';
}

function reasonsOf({ instance, health }: InstanceReport): MachineReason[] {
  return health.reasons.map((reason) => ({ ...reason, process: instance.process }));
}

/** An instance of a version before has none. */
function alertsOf({ instance, health }: InstanceReport): MachineHealth['alerts'] {
  const alerts: HealthStatus['alerts'] | undefined = health.alerts;
  return (alerts ?? []).map((alert) => ({ ...alert, process: instance.process }));
}

function silenceReasons(silent: number): MachineReason[] {
  return silent === 0 ? [] : [{ check: 'instances', value: silent, threshold: 0, level: 'degraded' }];
}

function latestError(reports: readonly InstanceReport[]): HealthStatus['lastError'] {
  const errors = reports.flatMap(({ health }) => (health.lastError === undefined ? [] : [health.lastError]));
  return errors.reduce<HealthStatus['lastError']>(
    (latest, error) => (latest === undefined || error.timestamp > latest.timestamp ? error : latest),
    undefined,
  );
}

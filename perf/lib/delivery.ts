import type { LoadOptions } from '../load/load-options.ts';
import type { LoadReport } from '../load/load-report.ts';
import { runLoad } from './load-process.ts';
import type { ServerProcess } from './server-process.ts';
import type { Row } from './table.ts';

/** One measurement: a server, loaded once. */
export interface Delivery {
  server: string;
  report: LoadReport;
  /** What the server says; undefined where it does not. */
  messagesPerWrite: number | undefined;
  /** The server that this one is the measure of. */
  measureOf?: string;
  /** The server that this one, of another checkout, was run beside. */
  besideOf?: string;
}

/** What a server is measured with; `port` and `pids` come from the server. */
export type DeliveryLoad = Partial<Omit<LoadOptions, 'port' | 'pids'>>;

/** One load of a benchmark, for each of its servers. */
export interface DeliveryScenario {
  title: string;
  symbols: number;
  rate: number;
  /** Deliveries per second, when none is missing. */
  deliveriesPerS: number;
  load: DeliveryLoad;
}

/** A server that cannot let everybody in by then is measured with those it let in. */
const CONNECT_TIMEOUT_S = 20;

/** Starts a server, loads it, stops it. */
export async function measureDelivery(
  server: string,
  start: () => Promise<ServerProcess>,
  load: DeliveryLoad,
): Promise<Delivery> {
  const running = await start();
  try {
    const report = await runLoad({
      connectTimeoutS: CONNECT_TIMEOUT_S,
      ...load,
      port: running.port,
      pids: [running.pid],
    });
    return { server, report, messagesPerWrite: await running.messagesPerWrite?.() };
  } finally {
    await running.stop();
  }
}

/** The measurement whose CPU per delivery is in the middle. */
export function median(deliveries: readonly Delivery[]): Delivery {
  const cost = ({ report }: Delivery) => report.server?.cpuUsPerDelivery ?? 0;
  const sorted = [...deliveries].sort((a, b) => cost(a) - cost(b));
  return sorted[Math.floor((sorted.length - 1) / 2)] as Delivery;
}

/**
 * A row of figures for each server. `× CPU`: its CPU per delivery over that of the first row, the gateway as it comes.
 * @param asked deliveries per second that there should have been
 */
export function deliveryRows(deliveries: readonly Delivery[], asked: number): Row[] {
  const first = deliveries[0]?.report.server?.cpuUsPerDelivery ?? 0;
  return deliveries.map(({ server, report, messagesPerWrite }) => {
    const cpu = report.server?.cpuUsPerDelivery ?? 0;
    const ms = (us: number) => Number((us / 1000).toFixed(2));
    return {
      server,
      opened: report.opened,
      'deliveries/s': report.deliveriesPerS,
      '% of asked': Number(((100 * report.deliveriesPerS) / asked).toFixed(1)),
      ...(messagesPerWrite === undefined ? {} : { 'msgs/write': Number(messagesPerWrite.toFixed(1)) }),
      'msgs/read': report.messagesPerRead,
      'mean ms': ms(report.latencyUs.mean),
      'p50 ms': ms(report.latencyUs.p50),
      'p95 ms': ms(report.latencyUs.p95),
      'p99 ms': ms(report.latencyUs.p99),
      'max ms': ms(report.latencyUs.max),
      'CPU µs/delivery': cpu,
      '× CPU': first > 0 ? Number((cpu / first).toFixed(2)) : 0,
      'server cores': report.server?.cores ?? 0,
      'RSS MiB': report.server?.residentMib ?? 0,
      'generator cores': report.generator.cores,
      saturated: report.generator.saturated,
    };
  });
}

/** CPU per delivery of each server over that of its measure, which wrote as often. */
export function measureRows(deliveries: readonly Delivery[]): Row[] {
  return deliveries.flatMap(({ server: measure, measureOf, report }) => {
    const measured = deliveries.find(({ server }) => server === measureOf)?.report.server?.cpuUsPerDelivery;
    const least = report.server?.cpuUsPerDelivery ?? 0;
    if (measureOf === undefined || measured === undefined || least === 0) return [];
    const ratio = Number((measured / least).toFixed(2));
    return [{ server: measureOf, 'CPU µs/delivery': measured, against: measure, 'its CPU µs/delivery': least, ratio }];
  });
}

/** What must hold on any machine: everybody came in, something was delivered, and in order. */
export function deliveryProblems({ server, report }: Delivery): string[] {
  const problems: string[] = [];
  const check = (holds: boolean, problem: string) => {
    if (!holds) problems.push(`${server}: ${problem}`);
  };
  check(
    report.opened === report.asked,
    `opened ${report.opened} of ${report.asked}: ${JSON.stringify(report.failures)}`,
  );
  check(report.deliveries > 0, 'nothing was delivered');
  check(report.orderErrors === 0, `${report.orderErrors} messages out of order`);
  check(report.protocolErrors === 0, `${report.protocolErrors} connections broke the protocol`);
  check(report.closed === 0, `${report.closed} connections closed early: ${JSON.stringify(report.closeCodes)}`);
  return problems;
}

import type { BenchmarkResult, BenchmarkSettings } from '../lib/benchmark.ts';
import type { DeliveryLoad } from '../lib/delivery.ts';
import { round } from '../lib/figures.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';
import { runStalled, type StalledRun } from '../lib/stalled-run.ts';
import type { Row } from '../lib/table.ts';

/** Longer than any run. */
const LAG_MS_MAX = 600_000;
const PAYLOAD_BYTES = 200;
/** So large that the kernel's buffers fill within a second. */
const SMOKE_PAYLOAD_BYTES = 8_000;
const SMOKE_PENDING_MESSAGES = 100;
const SMOKE_LAG_MS = 500;

interface Scenario {
  title: string;
  options: Record<string, string | number>;
  load: DeliveryLoad & { connections: number };
  /** What has to become of the connections. */
  expects: 'stay' | 'closed';
  lookMs: number;
}

/** What the gateway's memory does when none of its clients reads. */
export async function stalledMemory(settings: BenchmarkSettings): Promise<BenchmarkResult> {
  const rows: Row[] = [];
  const details: Record<string, StalledRun> = {};
  const problems: string[] = [];
  const all = scenarios(settings.smoke);
  for (const scenario of all) {
    const run = await runStalled(scenario.options, scenario.load, scenario.lookMs);
    rows.push(rowOf(scenario, run));
    details[scenario.title] = run;
    problems.push(...problemsOf(scenario, run));
  }
  const { connections, seconds } = all[0]?.load ?? {};
  return {
    sections: [{ title: `${connections} connections that never read, for ${seconds} s`, rows }],
    details,
    problems,
  };
}

function scenarios(smoke: boolean): Scenario[] {
  const connections = smoke ? 10 : 1_000;
  const times = smoke ? { warmupS: 0, seconds: 2, drainS: 1 } : { warmupS: 0, seconds: 75, drainS: 15 };
  const payloadBytes = smoke ? SMOKE_PAYLOAD_BYTES : PAYLOAD_BYTES;
  const one = { ...simulatorOptions(1, 1_000, payloadBytes), shards: 1, ...pendingOptions(smoke) };
  const many = { ...simulatorOptions(100, 5_000, payloadBytes), shards: 1, ...pendingOptions(smoke) };
  const common = { connections, stalled: connections, ...times };
  const toAll = { ...common, subscribe: 'all' };
  const toTen = { ...common, subscribe: 'filter', symbols: 100, symbolsEach: 10 };
  const lookMs = smoke ? 100 : 1_000;
  // What they hold is measured, not what is done about it: they answer no PING either.
  const stay = { 'slow.maxLagMs': LAG_MS_MAX, 'heartbeat.timeoutMs': LAG_MS_MAX, 'memory.thresholdMb': 0 };
  const leave: Record<string, number> = smoke ? { 'slow.maxLagMs': SMOKE_LAG_MS } : {};
  return [
    { title: 'one topic, 1000/s', options: { ...one, ...stay }, load: toAll, expects: 'stay', lookMs },
    { title: '10 of 100 topics, 5000/s', options: { ...many, ...stay }, load: toTen, expects: 'stay', lookMs },
    { title: 'one topic, 1000/s, default lag', options: { ...one, ...leave }, load: toAll, expects: 'closed', lookMs },
  ];
}

function pendingOptions(smoke: boolean): Record<string, number> {
  return smoke ? { 'limits.pendingMessages': SMOKE_PENDING_MESSAGES } : {};
}

function rowOf({ title }: Scenario, { report, figures, memory, beforeMib, answers }: StalledRun): Row {
  const { stalled, server } = report;
  return {
    load: title,
    opened: report.opened,
    'before MiB': round(beforeMib, 1),
    'start MiB': round(memory.startMib, 1),
    'max MiB': round(memory.maxMib, 1),
    'end MiB': round(memory.endMib, 1),
    'MiB/s, 2nd half': round(memory.mibPerS, 3),
    'kernel MiB': round(memory.socketsMaxMib, 0),
    behind: figures.behind,
    'pending messages': figures.pendingMessages,
    'pending MiB': round(figures.pendingMib, 1),
    delivered: figures.delivered,
    dropped: figures.dropped,
    'told by gaps': stalled?.gapPublications ?? 0,
    'closed as slow': figures.closedAsSlow,
    'server cores': server?.cores ?? 0,
    health: String((answers.health as { status?: unknown }).status),
  };
}

function problemsOf({ title, load, expects }: Scenario, { report, figures }: StalledRun): string[] {
  const { connections } = load;
  const problems: string[] = [];
  const check = (holds: boolean, problem: string) => {
    if (!holds) problems.push(`${title}: ${problem}`);
  };
  check(report.opened === connections, `opened ${report.opened} of ${connections}: ${JSON.stringify(report.failures)}`);
  check(report.protocolErrors === 0, `${report.protocolErrors} connections broke the protocol`);
  check(report.orderErrors === 0, `${report.orderErrors} messages out of order`);
  if (expects === 'closed') {
    check(figures.closedAsSlow === connections, `${figures.closedAsSlow} of ${connections} were closed as slow`);
    return problems;
  }
  const { closed = 0, closeCodes = {}, connectionsWithGap = 0 } = report.stalled ?? {};
  check(closed === 0, `${closed} connections were closed: ${JSON.stringify(closeCodes)}`);
  check(figures.behind === connections, `${figures.behind} of ${connections} were behind`);
  check(connectionsWithGap > 0, 'gaps missing: none was told of any');
  return problems;
}

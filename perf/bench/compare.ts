/**
 * Comparison: Tickcast beside the servers that one would write with the Node.js packages there are, on the same loads.
 * They take turns within each round. What is compared: deliveries, latency, CPU, memory, bytes on the wire, and what
 * became of every publication.
 */
import { contenders } from '../compare/contenders.ts';
import {
  type Compared,
  type CompareLoad,
  type IdleMemory,
  measureIdle,
  measureRound,
  mergeRounds,
  type Round,
} from '../compare/measure.ts';
import { accountRows, type CompareDetails, deliveryTable, idleRows } from '../compare/page.ts';
import type { BenchmarkResult, BenchmarkSettings } from '../lib/benchmark.ts';

const PAYLOAD_BYTES = 200;
const IDLE_CONNECTIONS = 2_000;
const IDLE_HOLD_S = 3;

export async function compare(settings: BenchmarkSettings): Promise<BenchmarkResult> {
  const servers = contenders();
  const idle: IdleMemory[] = [];
  const [connections, holdS] = settings.smoke ? [20, 0.2] : [IDLE_CONNECTIONS, IDLE_HOLD_S];
  for (const server of servers) idle.push(await measureIdle(server, connections, holdS));
  const details: CompareDetails = { idle, loads: [] };
  const loads = settings.smoke ? [SMOKE] : LOADS;
  for (const shape of loads) {
    const load = { ...shape, seconds: settings.seconds ?? shape.seconds };
    const rounds = servers.map((): Round[] => []);
    for (let round = 0; round < settings.rounds; round++) {
      for (const [n, server] of servers.entries()) rounds[n]?.push(await measureRound(server, load));
    }
    const rows = servers.map(({ name }, n) => mergeRounds(name, load, rounds[n] ?? []));
    details.loads.push({ load, rows });
  }
  const sections = details.loads.flatMap(({ load, rows }) => [
    { title: load.name, rows: deliveryTable(rows) },
    { title: `${load.name}: what became of it`, rows: accountRows(rows) },
  ]);
  sections.push({ title: `${connections} idle connections`, rows: idleRows(idle) });
  // Servers that collapse are a figure; in small, everybody has to keep up.
  const checked = details.loads.flatMap(({ rows }) =>
    rows.filter(({ server }) => settings.smoke || server.startsWith('Tickcast')),
  );
  return { sections, details, problems: checked.flatMap(problemsOf) };
}

const TIMES = { warmupS: 1.5, seconds: 5 };

const LOADS: CompareLoad[] = [
  {
    name: '100 connections × 100/s, one topic',
    market: { symbols: 1, rate: 100, payloadBytes: PAYLOAD_BYTES },
    connections: 100,
    symbolsEach: 0,
    sampleEvery: 1,
    ...TIMES,
  },
  {
    name: '500 connections × 100/s, one topic',
    market: { symbols: 1, rate: 100, payloadBytes: PAYLOAD_BYTES },
    connections: 500,
    symbolsEach: 0,
    sampleEvery: 4,
    ...TIMES,
  },
  {
    name: '1,000 connections × 200/s, 10 of 100 topics each',
    market: { symbols: 100, rate: 2_000, payloadBytes: PAYLOAD_BYTES },
    connections: 1_000,
    symbolsEach: 10,
    sampleEvery: 16,
    ...TIMES,
  },
  {
    name: '1,000 connections × 1,000/s, one topic',
    market: { symbols: 1, rate: 1_000, payloadBytes: PAYLOAD_BYTES },
    connections: 1_000,
    symbolsEach: 0,
    sampleEvery: 16,
    ...TIMES,
  },
];

const SMOKE: CompareLoad = {
  name: '20 connections × 20/s, 2 of 10 topics each',
  market: { symbols: 10, rate: 100, payloadBytes: PAYLOAD_BYTES },
  connections: 20,
  symbolsEach: 2,
  sampleEvery: 1,
  warmupS: 0.2,
  seconds: 0.5,
};

/** What must hold on any machine. */
function problemsOf(compared: Compared): string[] {
  const { server, asked, opened, delivered, closed, orderErrors, protocolErrors, latencyUs } = compared;
  const problems: string[] = [];
  const check = (holds: boolean, problem: string) => {
    if (!holds) problems.push(`${server}: ${problem}`);
  };
  check(opened === asked, `opened ${opened} of ${asked}`);
  check(delivered > 0, 'nothing was delivered');
  check(latencyUs.count > 0, 'no latency was sampled');
  check(compared.published > 0, 'it does not say what it has published');
  check(orderErrors === 0, `${orderErrors} messages out of order`);
  check(protocolErrors === 0, `${protocolErrors} connections broke the protocol`);
  check(closed === 0, `${closed} connections closed early`);
  return problems;
}

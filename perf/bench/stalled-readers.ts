import type { BenchmarkResult, BenchmarkSettings, Section } from '../lib/benchmark.ts';
import { type Delivery, type DeliveryScenario, deliveryProblems, deliveryRows, median } from '../lib/delivery.ts';
import { msOf, ratioOf, round } from '../lib/figures.ts';
import { roundRows } from '../lib/round-rows.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';
import { runStalled, type StalledRun } from '../lib/stalled-run.ts';

const LOOK_MS = 1_000;
/** Longer than any run: what is measured is how the gateway lives with them. */
const LAG_MS_MAX = 600_000;
const PAYLOAD_BYTES = 200;
/** So large that the kernel's buffers fill within a second. */
const SMOKE_PAYLOAD_BYTES = 8_000;
const SMOKE_PENDING_MESSAGES = 100;

interface Scenario extends DeliveryScenario {
  payloadBytes: number;
  /** Connections that never read, in addition to those of `load`. */
  stalled: number;
  options: Record<string, string | number>;
  /** Whether the stalled ones lose so much that they must be told of gaps. */
  overflows: boolean;
}

interface Round {
  without: StalledRun;
  with: StalledRun;
}

/** What connections that never read cost those that do: the same readers with and without them. */
export async function stalledReaders(settings: BenchmarkSettings): Promise<BenchmarkResult> {
  const sections: Section[] = [];
  const details: Record<string, Round[]> = {};
  const problems: string[] = [];
  for (const scenario of scenarios(settings.smoke)) {
    const rounds: Round[] = [];
    for (let n = 0; n < settings.rounds; n++) rounds.push(await measureRound(scenario, n));
    details[scenario.title] = rounds;
    const middle = [
      median(rounds.map((one) => deliveryOf('without', one.without))),
      median(rounds.map((one) => deliveryOf(`with ${scenario.stalled} stalled`, one.with))),
    ];
    sections.push({ title: scenario.title, rows: deliveryRows(middle, scenario.deliveriesPerS) });
    sections.push({
      title: 'With the stalled ones over without them, round by round',
      rows: roundRows(rounds.map(ratiosOf)),
    });
    problems.push(
      ...rounds.flatMap((one, n) => problemsOf(scenario, one).map((problem) => `round ${n + 1}: ${problem}`)),
    );
  }
  return { sections, details, problems };
}

function scenarios(smoke: boolean): Scenario[] {
  const [readers, stalled] = smoke ? [8, 2] : [900, 100];
  const payloadBytes = smoke ? SMOKE_PAYLOAD_BYTES : PAYLOAD_BYTES;
  const options = {
    'slow.maxLagMs': LAG_MS_MAX,
    ...(smoke ? { 'limits.pendingMessages': SMOKE_PENDING_MESSAGES } : {}),
  };
  const common = { payloadBytes, stalled, options, overflows: smoke };
  const one: Scenario = {
    ...common,
    title: `${readers} readers on one topic, 1000 messages/s`,
    symbols: 1,
    rate: 1_000,
    deliveriesPerS: readers * 1_000,
    load: { ...times(smoke, 15), connections: readers, subscribe: 'all' },
  };
  const many: Scenario = {
    ...common,
    title: `${readers} readers on 10 of 100 topics each, 5000 messages/s`,
    symbols: 100,
    rate: 5_000,
    deliveriesPerS: readers * 500,
    load: { ...times(smoke, 30), connections: readers, subscribe: 'filter', symbols: 100, symbolsEach: 10 },
  };
  return smoke ? [one] : [one, many];
}

/** @param warmupS what it takes until the kernel holds so much that the gateway begins to feel it */
function times(smoke: boolean, warmupS: number): { warmupS: number; seconds: number; drainS: number } {
  return smoke ? { warmupS: 1.2, seconds: 0.5, drainS: 1 } : { warmupS, seconds: 8, drainS: 3 };
}

/** Which of the two comes first alternates, so that what else the machine does meets both. */
async function measureRound(scenario: Scenario, n: number): Promise<Round> {
  const { symbols, rate, payloadBytes, load, stalled } = scenario;
  const options = { ...simulatorOptions(symbols, rate, payloadBytes), shards: 1, ...scenario.options };
  const connections = (load.connections ?? 0) + stalled;
  const without = () => runStalled(options, load, LOOK_MS);
  const withThem = () => runStalled(options, { ...load, connections, stalled }, LOOK_MS);
  if (n % 2 === 0) return { without: await without(), with: await withThem() };
  const stalledFirst = await withThem();
  return { without: await without(), with: stalledFirst };
}

function deliveryOf(server: string, { report }: StalledRun): Delivery {
  return { server, report, messagesPerWrite: undefined };
}

function ratiosOf(pair: Round): Record<string, number> {
  const { latencyUs: a, server: usedWithout } = pair.without.report;
  const { latencyUs: b, server: usedWith, stalled } = pair.with.report;
  return {
    'p50 without ms': msOf(a.p50),
    'p50 with ms': msOf(b.p50),
    '× p50': ratioOf(b.p50, a.p50),
    'p99 without ms': msOf(a.p99),
    'p99 with ms': msOf(b.p99),
    '× p99': ratioOf(b.p99, a.p99),
    '× CPU/s': ratioOf(usedWith?.cores ?? 0, usedWithout?.cores ?? 0),
    'RSS without MiB': usedWithout?.residentMib ?? 0,
    'RSS with MiB': usedWith?.residentMib ?? 0,
    'kernel MiB': round(pair.with.memory.socketsMaxMib, 0),
    behind: pair.with.figures.behind,
    'pending messages': pair.with.figures.pendingMessages,
    dropped: pair.with.figures.dropped,
    'told by gaps': stalled?.gapPublications ?? 0,
  };
}

function problemsOf({ title, stalled, overflows }: Scenario, pair: Round): string[] {
  const problems = [
    ...deliveryProblems(deliveryOf(`${title}, without`, pair.without)),
    ...deliveryProblems(deliveryOf(`${title}, with`, pair.with)),
  ];
  const told = pair.with.report.stalled;
  const { behind, dropped } = pair.with.figures;
  if (behind !== stalled) problems.push(`${title}: ${behind} of ${stalled} stalled connections were behind`);
  if (told !== undefined && told.closed > 0) problems.push(`${title}: stalled ones were closed: ${codesOf(told)}`);
  const mustTell = overflows || dropped > 0;
  if (mustTell && told?.connectionsWithGap !== stalled) {
    problems.push(
      `${title}: gaps missing: ${told?.connectionsWithGap ?? 0} of ${stalled} stalled ones were told of any`,
    );
  }
  return problems;
}

function codesOf({ closeCodes }: { closeCodes: Record<string, number> }): string {
  return JSON.stringify(closeCodes);
}

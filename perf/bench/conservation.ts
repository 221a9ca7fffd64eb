/**
 * Conservation: whether published = delivered + merged + dropped holds, publication by publication, for clients that subscribe,
 * read slowly, vanish and come back at random, on a gateway whose shards are killed and lapped meanwhile. No figure of speed:
 * it says what became of everything, and fails where it does not add up.
 */
import type { BenchmarkResult, BenchmarkSettings } from '../lib/benchmark.ts';
import type { Row } from '../lib/table.ts';
import { type HarnessOptions, runHarness } from '../truth/harness.ts';
import { runSeed } from '../truth/run-seed.ts';
import type { TruthReport } from '../truth/truth-report.ts';

type Scenario = Omit<HarnessOptions, 'seed'> & { title: string };

const MIB = 1024 * 1024;

export async function conservation({ smoke }: BenchmarkSettings): Promise<BenchmarkResult> {
  const seed = runSeed();
  const rows: Row[] = [];
  const details: unknown[] = [];
  const problems: string[] = [];
  for (const { title, ...options } of scenarios(smoke)) {
    console.log(`${title}, ${options.seconds} s: TICKCAST_TEST_SEED=${seed}`);
    const report = await runHarness({ ...options, seed });
    rows.push(rowOf(title, report));
    details.push({ title, seed, report });
    problems.push(...report.problems.map((problem) => `${title}, seed ${seed}: ${problem}`));
    if (report.account.delivered === 0) problems.push(`${title}: nothing was delivered`);
  }
  return { sections: [{ title: `What became of everything, seed ${seed}`, rows }], details, problems };
}

function scenarios(smoke: boolean): Scenario[] {
  const usual = {
    seconds: smoke ? 1 : 60,
    clients: smoke ? 15 : 50,
    symbols: 20,
    padding: 500,
    pace: { ratePerS: smoke ? 2_000 : 5_000, burstEveryMs: 1_500, burstPublications: 2_000 },
    crashes: 0,
    blocks: 0,
    gateway: {},
  };
  const hurt: Scenario = {
    ...usual,
    title: '2 shards, killed and lapped',
    shards: 2,
    crashes: smoke ? 1 : 12,
    blocks: smoke ? 1 : 12,
    gateway: { ring: { bytes: 2 * MIB }, limits: { pendingMessages: 500 }, slow: { maxLagMs: 3_000 } },
  };
  if (smoke) return [hurt];
  return [
    { ...usual, title: '1 shard, as it comes', shards: 1 },
    hurt,
    { ...hurt, title: '4 shards, killed and lapped', shards: 4 },
  ];
}

function rowOf(scenario: string, { publications, account, ...report }: TruthReport): Row {
  const { delivered, merged, dropped, gaps, snapshots, resumptions, replayed } = account;
  const refused = Object.values(report.refusals).reduce((sum, count) => sum + count, 0);
  return {
    scenario,
    publications,
    owed: account.published,
    delivered,
    merged,
    ...dropped,
    gaps,
    snapshots,
    resumptions,
    replayed,
    refused,
    connections: report.connections,
    ledgers: report.ledgers,
    'books compared': report.booksCompared,
    problems: report.problems.length,
  };
}

import { describe, expect, it } from 'vitest';
import { runHarness } from '../../../perf/truth/harness.ts';
import type { Fault } from '../../support/model-connection.ts';
import { ModelGateway } from '../../support/model-gateway.ts';
import { seedOfRun } from '../../support/seeded-random.ts';

const FAULTS: Fault[] = [
  'loses one',
  'hides what it loses',
  'sends one twice',
  'merges trades',
  'counts one merged too many',
  'counts one dropped too few',
  'keeps the publisher’s prevSeq when it merges',
  'leaves one out of a replay',
  'never tells a resumeSeq',
  'counts one delivered too many',
  'keeps only the newest update of a book',
  'drops without a gap',
  'forgets what is pending when a filter is withdrawn',
  'delivers what nobody asked for',
];

const RUNS_MAX = 8;

function judge(seconds: number, fault?: Fault) {
  return runHarness({
    seed: seedOfRun('harness'),
    shards: 1,
    seconds,
    clients: 12,
    symbols: 6,
    padding: 0,
    pace: { ratePerS: 2_000, burstEveryMs: 300, burstPublications: 300 },
    crashes: 3,
    blocks: 0,
    gateway: {},
    start: (_options, market) => ModelGateway.start(market, fault),
  });
}

describe('the harness', () => {
  it('finds nothing in a gateway that keeps its promises, and has seen everything happen', async () => {
    const report = await judge(4);
    expect(report.problems).toEqual([]);
    const { account } = report;
    expect(account.delivered).toBeGreaterThan(1_000);
    expect(account.merged).toBeGreaterThan(0);
    expect(account.dropped).toEqual({ slow_consumer: expect.any(Number), unsubscribed: expect.any(Number) });
    expect(account.snapshots).toBeGreaterThan(0);
    expect(account.resumptions).toBeGreaterThan(5);
    expect(report.booksCompared).toBeGreaterThan(100);
    expect(report.ledgers).toBeGreaterThan(50);
  });

  // What a fault needs to show does not happen in every short run.
  it.each(FAULTS)('notices a gateway that %s', async (fault) => {
    let report = await judge(1, fault);
    for (let again = 0; again < RUNS_MAX && report.problems.length === 0; again++) report = await judge(2, fault);
    expect(report.problems).not.toEqual([]);
  });
});

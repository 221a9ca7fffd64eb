import { describe, expect, it } from 'vitest';
import { runHarness } from '../../perf/truth/harness.ts';
import { seedOfRun } from '../support/seeded-random.ts';

const MIB = 1024 * 1024;

describe('published = delivered + merged + dropped', () => {
  it.each([1, 2, 4])(
    'holds for every publication, topic and client, on %i shards of which one crashes and one is lapped',
    async (shards) => {
      const report = await runHarness({
        seed: seedOfRun('conservation'),
        shards,
        seconds: 5,
        clients: 24,
        symbols: 12,
        padding: 700,
        pace: { ratePerS: 3_000, burstEveryMs: 700, burstPublications: 2_000 },
        crashes: 1,
        blocks: 2,
        gateway: { ring: { bytes: 2 * MIB }, limits: { pendingMessages: 300 }, slow: { maxLagMs: 2_000 } },
      });
      expect(report.problems).toEqual([]);
      expect(report.account.delivered).toBeGreaterThan(0);
      expect(report.account.resumptions).toBeGreaterThan(0);
      expect(report.ledgers).toBeGreaterThan(0);
      expect(report.booksCompared).toBeGreaterThan(0);
    },
    60_000,
  );
});

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { TestProcess } from '../../support/child-process.ts';

const PROJECT = new URL('../../../', import.meta.url);

/*
 * The whole of it in small: two instances under pm2, one reload, crashes of shards, and clients that go through all of that.
 */
it('a soak of a few seconds accounts for everything, and leaves a report and nothing else', async () => {
  const few = ['--minutes', '0.1', '--shards', '1', '--clients', '8', '--rate', '200'];
  const args = [...few, '--crash-every', '1.5', '--reload-every', '1.5'];
  const { status, stdout, stderr } = await new TestProcess(new URL('perf/soak/main.ts', PROJECT), args).ended;
  expect([status, stderr]).toEqual([0, '']);
  const path = /^perf\/profiles\/soak-[^/]+\//m.exec(stdout)?.[0] as string;
  const directory = new URL(path, PROJECT);
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const report = JSON.parse(readFileSync(new URL('report.json', directory), 'utf8'));
  expect(report.failures).toEqual([]);
  const { account, clients, ledgers } = report.totals;
  const dropped = Object.values<number>(account.dropped).reduce((sum, count) => sum + count, 0);
  expect(account.published).toBe(account.delivered + account.merged + dropped);
  for (const count of [account.delivered, account.resumptions, clients, ledgers]) expect(count).toBeGreaterThan(0);
  const kinds = report.disturbances.map(({ kind }: { kind: string }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(['reload', 'crash of a shard']));
  expect(readdirSync(directory)).toEqual(
    expect.arrayContaining(['report.md', 'samples.ndjson', 'resident-memory.svg']),
  );
  const pids = (samples: { pid: number }[]) => samples.map(({ pid }) => pid);
  const { before, after } = report.idle;
  expect(new Set([...pids(before), ...pids(after)]).size).toBe(4);
}, 60_000);

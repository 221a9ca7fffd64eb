import { expect, it } from 'vitest';
import { readCompareArguments } from '../../src/compare/compare-arguments.ts';
import { readPaths } from '../../src/compare/ignored-paths.ts';
import { buildReport } from '../../src/compare/report.ts';
import { reportText } from '../../src/compare/report-text.ts';
import { measuringComparer } from '../support/compared-streams.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';

const seed = seedOfRun('stream-comparer.fuzz');
const ROUNDS = 20;
const MESSAGES = 300;
const LEAVES = [
  '',
  'X',
  'trade',
  'kline',
  'depth',
  '1m',
  '5',
  5,
  -0.5,
  1e300,
  true,
  null,
  '\u0000',
  '__proto__',
  '1970-01-01T00:00:00Z',
];
const KEYS = [
  'type',
  'exchange',
  'symbol',
  'timestamp',
  'data',
  'payload',
  'seq',
  'merged',
  'snapshot',
  'count',
  'reason',
  'dataType',
];
const DATA_KEYS = ['id', 'price', 'interval', 'openTime', 'updateTime', 'bids', '__proto__', 'constructor', 'm'];

it('makes a report of whatever two servers send', () => {
  const random = new SeededRandom(seed);
  const one = <T>(items: readonly T[]): T => items[random.below(items.length)]!;
  const value = (depth: number): unknown => {
    const kind = depth > 3 ? 9 : random.below(10);
    if (kind === 0) return Array.from({ length: random.below(4) }, () => value(depth + 1));
    if (kind < 4) return fields(depth + 1);
    return one(LEAVES);
  };
  const fields = (depth: number): unknown => {
    const entries = Array.from(
      { length: random.below(6) },
      () => [one(depth < 2 ? KEYS : DATA_KEYS), value(depth)] as const,
    );
    return JSON.parse(`{${entries.map(([key, held]) => `${JSON.stringify(key)}:${JSON.stringify(held)}`).join()}}`);
  };
  const message = () => {
    const text = JSON.stringify(fields(0));
    return random.below(8) === 0 ? text.slice(0, random.below(text.length + 1)) : text;
  };
  const { options } = readCompareArguments(['--old', 'ws://a/', '--new', 'ws://b/']);
  for (let round = 0; round < ROUNDS; round++) {
    const ignored = random.below(2) === 0 ? [] : readPaths('data.id,data.bids[],timestamp,data.__proto__.x,payload');
    const comparer = measuringComparer({ ignored, topicsMax: 20, entriesMax: 50, windowMs: 100, patienceMs: 50 });
    for (let at = 0; at < MESSAGES; at++) {
      const text = message();
      comparer.take('old', text, at);
      comparer.take('new', random.below(3) === 0 ? message() : text, at);
      comparer.expire(at);
    }
    comparer.finish(MESSAGES);
    const { findings, tallies } = comparer;
    for (const side of ['old', 'new'] as const) expect(tallies[side].messages).toBe(MESSAGES);
    const { missing } = findings.found;
    const settled =
      findings.pairs + missing + findings.explained.old.dropped + findings.explained.old.merged + findings.late.old;
    expect(settled).toBeLessThanOrEqual(tallies.old.publications);
    const facts = { unreachable: [], interrupted: false, startedAtMs: 0, measuredMs: 1, busyPercent: 1 };
    expect(reportText(buildReport(comparer, options, facts))).toMatch(/^The servers (agree|differ)\./);
  }
});

import { describe, expect, it } from 'vitest';
import { readCompareArguments } from '../../src/compare/compare-arguments.ts';
import { buildReport, type RunFacts } from '../../src/compare/report.ts';
import { reportText } from '../../src/compare/report-text.ts';
import { frame, measuringComparer, ticker, trade } from '../support/compared-streams.ts';

const FACTS: RunFacts = { unreachable: [], interrupted: false, startedAtMs: 0, measuredMs: 60_000, busyPercent: 5 };

function textOf(
  comparer: ReturnType<typeof measuringComparer>,
  facts: Partial<RunFacts> = {},
  ...argv: string[]
): string {
  const { options } = readCompareArguments([
    '--old',
    'ws://me:S3CRET@old/ws',
    '--new',
    'ws://new/ws?token=S3CRET',
    ...argv,
  ]);
  return reportText(buildReport(comparer, options, { ...FACTS, ...facts }));
}

describe('the report as text', () => {
  it('tells first why they differ, then what, with examples, then what is accepted', () => {
    const comparer = measuringComparer();
    comparer.take('old', '{"type":"welcome"}', 0);
    for (const id of [1, 2, 3]) comparer.take('old', JSON.stringify(trade(id, { symbol: 'x' })), 0);
    comparer.take('new', frame(trade(1, { data: { id: 1, price: 8 }, price: '8' })), 10);
    comparer.take('new', frame(trade(2)), 10);
    comparer.take('old', JSON.stringify(ticker(1, '5')), 0);
    comparer.take('new', frame(ticker(1, 5)), 10);
    comparer.finish(10);
    const text = textOf(comparer, {}, '--allow-types', '50%');
    expect(text.split('\n\n').slice(0, 4)).toEqual([
      'The servers differ.\n  missing: 1, allowed 0\n  differing: 1, allowed 0',
      expect.stringMatching(
        /^old {2}ws:\/\/…@old\/ws: 4 publications in 5 messages, \d+ bytes\n {5}not compared: welcome 1\nnew {2}ws:\/\/new\/ws\?…: 3 pub/,
      ),
      [
        '4 publications of 2 topics in 60 s',
        '  identical          1',
        '  missing            1  25 %, allowed 0: only the old server sent them',
        '  extra              0  allowed 0: only the new server sent them',
        '  reordered          0  allowed 0: the new server sent them later than one that followed them',
        '  differing          1  25 %, allowed 0: with a value that differs',
        '  types              1  25 %, allowed 50%: with a number that is a text on the other server',
      ].join('\n'),
      [
        'Fields that differ, old → new',
        '  data.price  1',
        '      binance X trade: 7 → 8',
        '  data.lastPrice  1  (number or text)',
        '      binance X ticker: "5" → 5',
        '  symbol  2  (spelling, accepted)',
        '  price  1  (said once more, accepted)',
      ].join('\n'),
    ]);
    expect(text).toContain('\n  new after old   p50 ');
    expect(text).not.toContain('S3CRET');
  });

  it('says so where there is nothing, or nobody to compare', () => {
    expect(textOf(measuringComparer())).toMatch(
      /^There is nothing to compare\.\n {2}nothing came that could be compared\n/,
    );
    const unreachable = ['the old server cannot be reached: ws://old/ws: connect ECONNREFUSED'];
    expect(textOf(measuringComparer(), { unreachable })).toBe(`There is no comparison.\n  ${unreachable[0]}\n`);
  });

  it('tells what nobody can tell, and that the comparison itself may be late', () => {
    const comparer = measuringComparer({ entriesMax: 1 });
    for (const id of [1, 2, 3]) comparer.take('old', JSON.stringify(trade(id)), 0);
    comparer.finish(1);
    const text = textOf(comparer, { busyPercent: 97, interrupted: true });
    expect(text).toContain('in 60 s; ended early; the comparison itself was 97 % busy\n');
    expect(text).toContain('\n  unjudged           2  given up, since too much waited\n');
    expect(text).toContain('\n  unjudged: 2, more waited than --pending-messages and --pending-bytes allow\n');
  });

  it('shows what came from outside without its control characters', () => {
    const comparer = measuringComparer();
    comparer.take('old', JSON.stringify({ type: '\u001b[2J_status' }), 0);
    comparer.take('old', JSON.stringify(trade(1, { symbol: 'A\u0007', '\u001b[31m': 1 })), 0);
    comparer.take('new', frame(trade(1, { symbol: 'A\u0007' })), 0);
    comparer.take('new', frame(trade(2, { symbol: 'A\u0007', note: '\u009b31m' })), 0);
    comparer.finish(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(textOf(comparer)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});

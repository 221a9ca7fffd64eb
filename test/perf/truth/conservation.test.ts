import { describe, expect, it } from 'vitest';
import { ConservationJudge } from '../../../perf/truth/conservation.ts';
import { PublicationLog } from '../../../perf/truth/publication-log.ts';
import { ToldStream } from '../../support/told-stream.ts';

const ALL = {};

/** A log of publications 1, 2, 3 … of tickers A and B and trades T, as the letters say; `a` is one that must not be merged. */
function logOf(letters: string): PublicationLog {
  const log = new PublicationLog();
  for (const letter of letters) {
    const symbol = letter.toUpperCase();
    log.add({ exchange: 'x', symbol, dataType: symbol === 'T' ? 'trade' : 'ticker' }, letter === symbol);
  }
  return log;
}

function judge(letters: string, stream: ToldStream) {
  const judge = new ConservationJudge(logOf(letters));
  judge.judge(stream.checker.record);
  return {
    problems: judge.problems.texts.map((text) => text.replace(/^c: /, '').replace(/: \{.*$/, '')),
    account: judge.account,
  };
}

const subscribed = (seq = 0) => new ToldStream().welcome(seq).subscribed(ALL, seq);

describe('a judge of conservation', () => {
  it('accounts for all that was owed', () => {
    const stream = subscribed(1).frame('B', 'ticker', 0, 2).frame('A', 'ticker', 1, 5, { merged: 2 });
    stream.gap('B', 'ticker', 6, 7, 2).frame('B', 'ticker', 7, 8).frame('T', 'trade', 0, 9);
    const { problems, account } = judge('ABAAABBBT', stream);
    expect(problems).toEqual([]);
    expect(account).toMatchObject({ published: 8, delivered: 4, merged: 2, dropped: { slow_consumer: 2 }, gaps: 1 });
  });

  it.each<[string, string, ToldStream, string]>([
    [
      'a loss that the chain hides',
      'AAA',
      subscribed().frame('A', 'ticker', 0, 1).frame('A', 'ticker', 1, 3),
      'x/A/ticker: stands for 1 more',
    ],
    ['a loss at the end', 'AAA', subscribed().frame('A', 'ticker', 0, 1), 'x/A/ticker: 2 missing, from 2'],
    [
      'a topic that never came',
      'AAB',
      subscribed().frame('A', 'ticker', 0, 1).frame('A', 'ticker', 1, 2),
      'x/B/ticker: 1 missing, from 3',
    ],
    [
      'a wrong merged',
      'ABA',
      subscribed().frame('B', 'ticker', 0, 2).frame('A', 'ticker', 0, 3),
      'x/A/ticker: stands for 1 more',
    ],
    [
      'a wrong count',
      'ABBBA',
      subscribed(1).gap('B', 'ticker', 2, 4, 2).frame('A', 'ticker', 1, 5),
      'x/B/ticker: leaves out 3',
    ],
    [
      'a merged trade',
      'TT',
      subscribed().frame('T', 'trade', 0, 2, { merged: 1 }),
      'x/T/trade: merges what must not be',
    ],
    [
      'a merged one that must not be',
      'AaA',
      subscribed().frame('A', 'ticker', 0, 3, { merged: 2 }),
      'x/A/ticker: merges 2, which must not be',
    ],
    [
      'another topic’s seq',
      'AB',
      subscribed().frame('A', 'ticker', 0, 2),
      'x/A/ticker: seq is no publication of this topic',
    ],
    [
      'an invented topic',
      'A',
      subscribed().frame('A', 'ticker', 0, 1).frame('C', 'ticker', 0, 2),
      'was told of x/C/ticker, which was never published',
    ],
    [
      'something not asked for',
      'AAB',
      subscribed(2).frame('A', 'ticker', 0, 1).frame('B', 'ticker', 0, 3),
      'x/A/ticker: 1 not asked for, from 1',
    ],
    ['a false replayed', 'AA', resumed(2), 'resuming from 1 at 2 replays 2, not 1'],
  ])('finds %s', (_what, letters, stream, problem) => {
    expect(judge(letters, stream).problems).toContain(problem);
  });

  it('finds that something was delivered after it was dropped', () => {
    const stream = subscribed().gap('A', 'ticker', 1, 2, 2);
    stream.checker.record.add('delivered', 0, 1, 2, 0, '', false);
    expect(judge('AA', stream).problems).toContain('x/A/ticker 2 is dropped and then delivered');
  });

  it('finds nothing in a resumption', () => {
    const { problems, account } = judge('AA', resumed(1));
    expect(problems).toEqual([]);
    expect(account).toMatchObject({ published: 2, delivered: 2, resumptions: 1, replayed: 1 });
  });

  it('owes nothing between a lost connection and a subscription that does not resume, but all before and behind', () => {
    const stream = () => subscribed().frame('A', 'ticker', 0, 1).lost().welcome(3).subscribed(ALL, 3);
    expect(judge('AAAA', stream().frame('A', 'ticker', 3, 4)).problems).toEqual([]);
    expect(judge('AAAA', stream()).problems).toContain('x/A/ticker: 1 missing, from 4');
  });

  describe('where a subscription ended at an uncertain point', () => {
    const ended = () => subscribed().frame('A', 'ticker', 0, 1).frame('B', 'ticker', 0, 2).unsubscribed(1);

    it('takes any point that fits all topics', () => {
      expect(judge('ABAB', ended()).problems).toEqual([]);
      expect(judge('ABAB', ended().gap('A', 'ticker', 3, 3, 1, 'unsubscribed')).problems).toEqual([]);
    });

    it('finds that none fits', () => {
      const { problems } = judge('ABAB', ended().gap('B', 'ticker', 4, 4, 1, 'unsubscribed'));
      expect(problems).toEqual(['topics have ended at different points for one request: 4 and 2']);
    });

    it('finds a hole before it', () => {
      const { problems } = judge('ABAA', ended().gap('A', 'ticker', 4, 4, 1, 'unsubscribed'));
      expect(problems).toContain('x/A/ticker: 3 is missing, though 4 was told');
    });

    it('takes the point of a later reply for the latest', () => {
      const stream = ended()
        .subscribed({ symbols: ['C'] }, 3)
        .gap('A', 'ticker', 3, 4, 2, 'unsubscribed');
      expect(judge('ABAA', stream).problems).toEqual(['x/A/ticker: 1 not asked for, from 4']);
    });
  });
});

function resumed(replayed: number): ToldStream {
  const stream = subscribed().frame('A', 'ticker', 0, 1).lost().welcome(2);
  return stream.subscribed(ALL, 2, { resumed: true, replayed }, 1).frame('A', 'ticker', 1, 2);
}

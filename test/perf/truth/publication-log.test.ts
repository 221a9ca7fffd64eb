import { describe, expect, it } from 'vitest';
import { ConservationJudge } from '../../../perf/truth/conservation.ts';
import { USUAL_CONFLATION } from '../../../perf/truth/delivery-policies.ts';
import { PublicationLog } from '../../../perf/truth/publication-log.ts';
import { ToldStream } from '../../support/told-stream.ts';

const ALL = {};

/** Publications 1, 2, 3 … of the tickers that the letters name; of those up to `forgotten` only the last of each is known. */
function logOf(letters: string, forgotten: number): PublicationLog {
  const log = new PublicationLog();
  for (const symbol of letters) log.add({ exchange: 'x', symbol, dataType: 'ticker' });
  log.forget(forgotten);
  return log;
}

function topicOf(log: PublicationLog, symbol: string) {
  return log.topic({ exchange: 'x', symbol, dataType: 'ticker' })!;
}

describe('a log of publications that has forgotten some', () => {
  it('counts those that follow as before', () => {
    const log = logOf('ABAAB', 3);
    expect([log.base, log.total]).toEqual([3, 5]);
    expect(log.ordinalOf(topicOf(log, 'A'), 4)).toBe(3);
    expect(log.ordinalOf(topicOf(log, 'B'), 5)).toBe(2);
    expect(log.add({ exchange: 'x', symbol: 'A', dataType: 'ticker' })).toBe(6);
    expect(log.ordinalOf(topicOf(log, 'A'), 6)).toBe(4);
    expect(log.seqAt(topicOf(log, 'A'), 4)).toBe(6);
  });

  it('knows the last of each topic that it has forgotten, and none before', () => {
    const log = logOf('ABAAB', 3);
    expect(log.ordinalOf(topicOf(log, 'A'), 3)).toBe(2);
    expect(log.seqAt(topicOf(log, 'A'), 2)).toBe(3);
    expect(log.ordinalOf(topicOf(log, 'A'), 1)).toBe(0);
    expect(log.ordinalOf(topicOf(log, 'B'), 2)).toBe(1);
  });

  it('forgets on, and never more than there is', () => {
    const log = logOf('ABAAB', 2);
    log.forget(1);
    log.forget(4);
    expect([log.base, log.ordinalOf(topicOf(log, 'A'), 4), log.ordinalOf(topicOf(log, 'A'), 3)]).toEqual([4, 3, 0]);
    log.forget(99);
    expect([log.base, log.total]).toEqual([5, 5]);
  });
});

describe('a judge with a log that has forgotten some', () => {
  const told = (stream: ToldStream, isOneOfSeveral = false) => {
    const judge = new ConservationJudge(logOf('ABAABAAB', 3), USUAL_CONFLATION, isOneOfSeveral);
    judge.judge(stream.checker.record);
    return { problems: judge.problems.texts.map((text) => text.replace(/: \{.*$/, '')), account: judge.account };
  };
  const subscribed = () => new ToldStream().welcome(3).subscribed(ALL, 3);

  it('accounts for a client that came later', () => {
    const stream = subscribed().frame('A', 'ticker', 3, 4).frame('B', 'ticker', 2, 5);
    stream.frame('A', 'ticker', 4, 7, { merged: 1 }).gap('B', 'ticker', 8, 8, 1);
    const { problems, account } = told(stream);
    expect(problems).toEqual([]);
    expect(account).toMatchObject({ published: 5, delivered: 3, merged: 1, dropped: { slow_consumer: 1 } });
  });

  it('finds what is missing', () => {
    const stream = subscribed().frame('A', 'ticker', 3, 4).frame('A', 'ticker', 4, 6).frame('A', 'ticker', 6, 7);
    expect(told(stream).problems).toEqual(['c: x/B/ticker: 2 missing, from 5']);
  });

  it('takes it from one of several gateways that it knows nothing of what was before', () => {
    const stream = () =>
      subscribed()
        .frame('A', 'ticker', 3, 4)
        .frame('B', 'ticker', 0, 5)
        .frame('A', 'ticker', 4, 7, { merged: 1 })
        .frame('B', 'ticker', 5, 8);
    expect(told(stream(), true).problems).toEqual([]);
    expect(told(stream()).problems).toContain('c: x/B/ticker: stands for 1 more');
  });

  it('finds what one of several gateways has hidden there', () => {
    const stream = subscribed().frame('A', 'ticker', 3, 4).frame('B', 'ticker', 2, 5).frame('A', 'ticker', 0, 7);
    expect(told(stream.frame('B', 'ticker', 5, 8), true).problems).toEqual(['c: x/A/ticker: 1 missing, from 6']);
  });
});

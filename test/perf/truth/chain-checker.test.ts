import { describe, expect, it } from 'vitest';
import type { WireMessage } from '../../../perf/truth/wire-message.ts';
import { ToldStream } from '../../support/told-stream.ts';

const ALL = {};
const A = { symbols: ['A'] };
const B = { symbols: ['B'] };
const RESUMED = { resumed: true, replayed: 1 };
const subscribed = () => new ToldStream().welcome(10).subscribed(ALL, 10);

describe('a chain checker', () => {
  it('finds nothing in a chain of deliveries, merged ones, gaps and snapshots', () => {
    const stream = new ToldStream({ isNumbered: true })
      .welcome(10)
      .subscribed(ALL, 12, { snapshot: { topics: 1, missing: 0 } });
    stream.frame('A', 'ticker', 0, 7, { snapshot: true }).frame('A', 'ticker', 7, 13);
    stream.frame('B', 'trade', 11, 14).frame('A', 'ticker', 13, 19, { merged: 3, resumeSeq: 16 });
    stream.gap('B', 'trade', 17, 20, 2).frame('B', 'trade', 20, 21);
    expect(stream.problems).toEqual([]);
    expect(stream.checker.resumePoint.seq).toBe(21);
  });

  it.each<[string, (stream: ToldStream) => ToldStream, string]>([
    ['a hole', (s) => s.frame('A', 'trade', 9, 11).frame('A', 'trade', 12, 13), 'prevSeq is not the last seq, 11'],
    [
      'a first frame that is too late',
      (s) => s.frame('A', 'trade', 11, 12),
      'the first frame leaves out what is since 10',
    ],
    ['a first frame that is too early', (s) => s.frame('A', 'trade', 8, 10), 'the first frame is not newer than 10'],
    [
      'a repetition',
      (s) => s.frame('A', 'trade', 9, 11).frame('A', 'trade', 9, 11),
      'seq does not rise: 11 came before',
    ],
    [
      'disorder between topics',
      (s) => s.frame('A', 'trade', 9, 12).frame('B', 'trade', 9, 11),
      'seq does not rise: 12 came before',
    ],
    ['a merged trade', (s) => s.frame('A', 'trade', 9, 12, { merged: 1 }), 'something was merged that must not be'],
    ['a merged something', (s) => s.frame('A', 'x', 9, 12, { merged: 1 }), 'something was merged that must not be'],
    [
      'a merged book that is none',
      (s) => s.frame('A', 'depth', 9, 12, { merged: 1 }),
      'something was merged that must not be',
    ],
    [
      'more merged than there is room',
      (s) => s.frame('A', 'ticker', 9, 11, { merged: 2 }),
      'merged is more than fits between prevSeq and seq',
    ],
    ['nothing merged, said so', (s) => s.frame('A', 'ticker', 9, 11, { merged: 0 }), 'merged is no count'],
    [
      'a snapshot out of place',
      (s) => s.frame('A', 'ticker', 9, 11).frame('A', 'ticker', 0, 12, { snapshot: true }),
      'the snapshot skips from 11',
    ],
    [
      'an old snapshot',
      (s) => s.frame('A', 'ticker', 9, 11).frame('A', 'ticker', 0, 9, { snapshot: true }),
      'the snapshot goes back from 11',
    ],
    [
      'a snapshot from after the subscription',
      (s) => s.frame('A', 'ticker', 0, 11, { snapshot: true }),
      'the snapshot is newer than 10, since when all is owed',
    ],
    [
      'a snapshot in a chain',
      (s) => s.frame('A', 'ticker', 5, 9, { snapshot: true }),
      'prevSeq of a snapshot is not 0',
    ],
    [
      'a snapshot of half a book',
      (s) => s.frame('A', 'depth', 0, 9, { snapshot: true }, { bids: [], asks: [] }),
      'a snapshot that is no full book',
    ],
    [
      'a gap that goes back',
      (s) => s.frame('A', 'trade', 9, 15).gap('A', 'trade', 14, 16, 2),
      'the gap begins before what came last, 15',
    ],
    [
      'a gap from before the subscription',
      (s) => s.gap('A', 'trade', 9, 16, 2),
      'the gap begins before what came last, 10',
    ],
    ['a gap of too many', (s) => s.gap('A', 'trade', 11, 12, 3), 'the count cannot be'],
    ['a gap of one that is two', (s) => s.gap('A', 'trade', 11, 12, 1), 'the count cannot be'],
    ['a gap that ends before it begins', (s) => s.gap('A', 'trade', 12, 11, 2), 'a gap of nothing'],
    ['a gap for no reason', (s) => s.gap('A', 'trade', 11, 12, 2, 'boredom'), 'the reason of the gap is not known'],
    [
      'a gap before a frame that denies it',
      (s) => s.gap('A', 'trade', 11, 12, 2).frame('A', 'trade', 11, 13),
      'prevSeq is not the last seq, 12',
    ],
    ['an error', (s) => s.message('error', { code: 'X' }), 'an error that nothing called for'],
    ['a reply without a seq', (s) => s.message('subscribed', { filterId: 'f' }), 'the reply has no seq or no filterId'],
    [
      'a resumption without its outcome',
      (s) => s.subscribed(A, 12, {}, 10),
      'the reply does not say whether it resumed',
    ],
    ['a refusal without a reason', (s) => s.subscribed(A, 12, { resumed: false }, 10), 'the refusal has no reason'],
  ])('reports %s', (_what, tell, problem) => {
    expect(tell(subscribed()).problems[0]).toBe(problem);
  });

  it.each<[string, Partial<WireMessage>]>([
    ['keys in another order', { prevSeq: 9, seq: 11 }],
    ['something behind the numbers', { seq: 11, prevSeq: 9, more: 1 } as Partial<WireMessage>],
    ['resumeSeq before merged', { seq: 12, prevSeq: 9, resumeSeq: 9, merged: 1 }],
  ])('reports %s', (_what, tail) => {
    const stream = subscribed();
    const payload = { type: 'ticker', exchange: 'x', symbol: 'A' };
    stream.checker.take({ type: 'ticker', payload, timestamp: 1, ...tail } as WireMessage);
    expect(stream.problems).toEqual(['keys are missing, unknown or not in their order']);
  });

  it('reports a frame with the content of another', () => {
    const stream = new ToldStream({ isNumbered: true }).welcome(1).subscribed(ALL, 1);
    stream.frame('A', 'trade', 0, 2, {}, { n: 3 });
    expect(stream.problems).toEqual(['the content is that of another publication']);
  });

  it('knows what a firehose is owed, before and behind its first filter', () => {
    const stream = new ToldStream().welcome(10, true).frame('A', 'trade', 9, 11).frame('B', 'trade', 10, 12);
    stream.subscribed(A, 13).frame('A', 'trade', 11, 14);
    expect(stream.problems).toEqual([]);
    stream.frame('B', 'trade', 12, 15);
    expect(stream.problems).toEqual(['nobody asked for this topic']);
  });

  it('lets a chain begin anew behind an unsubscription, but not without one', () => {
    const stream = new ToldStream().welcome(10).subscribed(A, 10).subscribed(B, 10).frame('A', 'trade', 9, 11);
    stream.unsubscribed(1).subscribed(A, 20).frame('A', 'trade', 18, 21);
    expect(stream.problems).toEqual([]);
    stream.subscribed(A, 30).frame('A', 'trade', 28, 31);
    expect(stream.problems).toEqual(['prevSeq is not the last seq, 21']);
  });

  it('takes the gap of what was pending, before and behind the reply, and behind the next subscription', () => {
    for (const place of ['before', 'behind', 'later']) {
      const stream = new ToldStream().welcome(10).subscribed(A, 10).frame('A', 'trade', 9, 11);
      const tell = (now: string) => now === place && stream.gap('A', 'trade', 13, 15, 2, 'unsubscribed');
      tell('before');
      stream.unsubscribed(1);
      tell('behind');
      stream.subscribed(A, 20);
      tell('later');
      stream.frame('A', 'trade', 18, 21);
      expect([place, stream.problems]).toEqual([place, []]);
    }
  });
});

describe('a chain checker, over several connections', () => {
  const lost = () => subscribed().frame('A', 'trade', 9, 11).frame('B', 'trade', 10, 12).lost().welcome(20);

  it('goes on behind a resumption', () => {
    const stream = lost().subscribed(ALL, 20, RESUMED, 12).frame('A', 'trade', 11, 13).frame('B', 'trade', 12, 14);
    stream.frame('C', 'trade', 8, 15);
    expect(stream.problems).toEqual([]);
  });

  it('reports what a resumption has left out', () => {
    const stream = lost().subscribed(ALL, 20, RESUMED, 12).frame('A', 'trade', 13, 15);
    expect(stream.problems[0]).toBe('the first frame leaves out what is since 12');
    const other = lost().subscribed(ALL, 20, RESUMED, 12).frame('A', 'trade', 12, 15);
    expect(other.problems).toEqual(["prevSeq is not the client's last seq, 11"]);
  });

  it('ignores what came before, where it had to resume from before its last frame', () => {
    const stream = subscribed().frame('A', 'ticker', 9, 18, { merged: 2, resumeSeq: 12 });
    expect(stream.checker.resumePoint.seq).toBe(12);
    stream.lost().welcome(30).subscribed(ALL, 30, RESUMED, 12);
    stream
      .frame('B', 'trade', 9, 13)
      .frame('A', 'ticker', 11, 16)
      .frame('A', 'ticker', 16, 18)
      .frame('A', 'ticker', 18, 19);
    expect(stream.problems).toEqual([]);
    expect(stream.checker.repeated).toBe(2);
  });

  it('counts only what is new of a frame or gap that reaches back', () => {
    for (const tell of [
      (s: ToldStream) => s.frame('A', 'ticker', 11, 25, { merged: 3 }),
      (s: ToldStream) => s.gap('A', 'ticker', 16, 25, 3, 'replay_overrun'),
    ]) {
      const stream = subscribed().frame('A', 'ticker', 9, 18, { merged: 2, resumeSeq: 12 }).lost().welcome(30);
      tell(stream.subscribed(ALL, 30, RESUMED, 12)).frame('A', 'ticker', 25, 26);
      expect(stream.problems).toEqual([]);
      const told = [...stream.checker.record.events()].filter(({ kind }) => kind !== 'repeated');
      expect(told[1]).toMatchObject({ from: 18, seq: 25, overlaps: true });
    }
  });

  it('reports a repetition that no resumption explains', () => {
    const stream = lost().subscribed(ALL, 20, RESUMED, 12).frame('A', 'trade', 10, 11);
    expect(stream.problems).toContain('the first frame is not newer than 12');
  });

  it('begins anew where a resumption is refused', () => {
    const stream = lost().subscribed(ALL, 20, { resumed: false, reason: 'HISTORY_TOO_SHORT' }, 12);
    stream.frame('A', 'ticker', 0, 19, { snapshot: true }).frame('A', 'trade', 17, 21).frame('A', 'ticker', 19, 22);
    expect(stream.problems).toEqual([]);
    expect(stream.checker.refusals).toEqual({ HISTORY_TOO_SHORT: 1 });
  });

  it('stays where it was while resumptions are not answered', () => {
    const stream = new ToldStream().welcome(10).subscribed(A, 10).subscribed(B, 10).frame('A', 'trade', 9, 11);
    stream.lost().welcome(20);
    stream.checker.asked({ type: 'subscribe', id: 'second', payload: { ...B, resume: { epoch: 'e', seq: 11 } } });
    stream.subscribed(A, 20, RESUMED, 11).frame('A', 'trade', 11, 15);
    expect(stream.checker.resumePoint.seq).toBe(11);
  });
});

describe('a ledger', () => {
  const figures = { published: 5, delivered: 1, merged: 2, dropped: { slow_consumer: 2 }, pending: 0 };
  const topic = { exchange: 'x', symbol: 'A', dataType: 'ticker' };
  const ledger = (change: object = {}, topicChange: object = {}) => ({
    epoch: 'e',
    seq: 19,
    state: 'live',
    ...figures,
    snapshots: 1,
    lagMs: 0,
    topics: [{ ...topic, ...figures, ...topicChange }],
    ...change,
  });
  const counted = () => {
    const stream = subscribed().frame('A', 'ticker', 0, 9, { snapshot: true });
    return stream.frame('A', 'ticker', 9, 14, { merged: 2 }).gap('A', 'ticker', 15, 16, 2);
  };

  it('that says what the client has counted is in order', () => {
    expect(counted().message('ledger', ledger()).problems).toEqual([]);
  });

  it.each([
    [{ epoch: 'f' }, {}],
    [{ state: 'asleep' }, {}],
    [{ published: 6 }, { published: 6 }],
    [
      { delivered: 2, merged: 1 },
      { delivered: 2, merged: 1 },
    ],
    [{ dropped: { shard_lapped: 2 } }, { dropped: { shard_lapped: 2 } }],
    [{ published: 6, pending: 1 }, {}],
    [{ snapshots: 0 }, {}],
    [{ topics: [] }, {}],
    [{}, { symbol: 'B' }],
    [{ lagMs: undefined }, {}],
  ])('that says something else is reported: %j %j', (change, topicChange) => {
    expect(counted().message('ledger', ledger(change, topicChange)).problems).not.toEqual([]);
  });
});

describe('a chain checker of a client with several gateways', () => {
  const moved = (isOneOfSeveral: boolean) =>
    new ToldStream({ isOneOfSeveral })
      .welcome(10)
      .subscribed(ALL, 10)
      .frame('A', 'ticker', 9, 11)
      .lost()
      .welcome(12)
      .subscribed(ALL, 12, RESUMED, 11);

  it('takes a first prevSeq of 0 for one that the gateway does not know', () => {
    expect(moved(true).frame('A', 'ticker', 0, 12).frame('A', 'ticker', 12, 13).problems).toEqual([]);
    expect(moved(false).frame('A', 'ticker', 0, 12).problems).not.toEqual([]);
  });

  it('holds all others to what the client had', () => {
    expect(moved(true).frame('A', 'ticker', 10, 12).problems).not.toEqual([]);
    expect(moved(true).frame('A', 'ticker', 0, 12).frame('A', 'ticker', 0, 13).problems).not.toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { readFilter } from '../../src/compare/filter-argument.ts';
import { readPaths } from '../../src/compare/ignored-paths.ts';
import type { StreamComparer } from '../../src/compare/stream-comparer.ts';
import { frame, gap, measuringComparer, ticker, trade } from '../support/compared-streams.ts';

const NONE = { missing: 0, extra: 0, reordered: 0, differing: 0, types: 0 };

/** The same flat from the old server and framed from the new one. */
function sendBoth(comparer: StreamComparer, publication: Record<string, unknown>, atMs = 0): void {
  comparer.take('old', JSON.stringify(publication), atMs);
  comparer.take('new', frame(publication), atMs + 1);
}

/** Paths in which something differs, with their kind. */
function fieldsOf({ findings }: StreamComparer): string[] {
  return findings.fields.rows().map(({ kind, path, count }) => `${kind} ${path} ${count}`);
}

describe('publications of two servers', () => {
  it('are paired whatever their shape, order of keys and spelling of names', () => {
    const comparer = measuringComparer();
    comparer.take(
      'old',
      JSON.stringify({ symbol: 'btc/usdt', exchange: 'Binance', type: 'trades', data: { id: 7 } }),
      0,
    );
    comparer.take('new', frame({ type: 'trade', exchange: 'binance', symbol: 'BTC/USDT', data: { id: 7 } }), 3);
    comparer.finish(10);
    expect(comparer.findings).toMatchObject({ pairs: 1, found: NONE, first: { old: 1, new: 0 } });
    expect(fieldsOf(comparer).toSorted()).toEqual(['spelling exchange 1', 'spelling symbol 1', 'spelling type 1']);
  });

  it('agree where one says at the top, or in its data, what the other one says elsewhere', () => {
    const comparer = measuringComparer();
    const candle = { exchange: 'b', symbol: 'X', timestamp: 5, data: { open: 1, openTime: 4 } };
    comparer.take('old', JSON.stringify({ ...candle, type: 'kline_1m' }), 0);
    comparer.take('new', frame({ ...candle, type: 'kline', data: { ...candle.data, interval: '1m' } }), 0);
    sendBoth(comparer, { ...trade(1), receivedAt: 6 });
    comparer.take('old', JSON.stringify({ ...trade(2), receivedAt: 1, latency: 2, metadata: { at: 'here' } }), 0);
    comparer.take('new', frame({ ...trade(2), receivedAt: 2, price: '7' }), 0);
    comparer.finish(10);
    expect(comparer.findings).toMatchObject({ pairs: 3, found: NONE });
    expect(fieldsOf(comparer).toSorted()).toEqual(['derived data.interval 1', 'derived price 1', 'spelling type 1']);
  });

  it('differ where what stands at the top is not what the data say', () => {
    const comparer = measuringComparer();
    comparer.take('old', JSON.stringify(trade(2)), 0);
    comparer.take('new', frame({ ...trade(2), price: '8' }), 0);
    comparer.finish(10);
    expect(fieldsOf(comparer)).toEqual(['value price 1']);
    expect(comparer.findings.found).toEqual({ ...NONE, differing: 1 });
  });

  it('are counted as often as they come', () => {
    const comparer = measuringComparer();
    for (let n = 0; n < 3; n++) comparer.take('old', JSON.stringify(ticker(1)), n);
    for (let n = 0; n < 5; n++) comparer.take('new', frame(ticker(1)), n);
    comparer.finish(10);
    expect(comparer.findings).toMatchObject({ pairs: 3, found: { ...NONE, extra: 2 } });
  });

  it('without a number are paired by content where their timestamps differ, and by moment where their content does', () => {
    const comparer = measuringComparer();
    comparer.take('old', JSON.stringify({ ...ticker(1), timestamp: 77 }), 0);
    comparer.take('new', frame(ticker(1)), 0);
    comparer.take('old', JSON.stringify(ticker(2, 5)), 0);
    comparer.take('new', frame(ticker(2, 6)), 0);
    comparer.finish(10_000);
    expect(comparer.findings).toMatchObject({ pairs: 2, found: { ...NONE, differing: 2 } });
    expect(fieldsOf(comparer).toSorted()).toEqual(['value data.lastPrice 1', 'value timestamp 1']);
  });

  it('are not paired with something similar that has only just come', () => {
    const comparer = measuringComparer();
    comparer.take('old', JSON.stringify(ticker(1, 5)), 0);
    comparer.take('new', frame({ ...ticker(2, 5), timestamp: 99 }), 9_000);
    comparer.expire(10_000);
    comparer.take('old', JSON.stringify({ ...ticker(2, 5), timestamp: 99 }), 10_001);
    comparer.finish(16_000);
    expect(comparer.findings).toMatchObject({ pairs: 1, identical: 1, found: { ...NONE, missing: 1 } });
  });

  it('are missing once the window has passed, and extra when they come after it', () => {
    const comparer = measuringComparer();
    comparer.take('old', JSON.stringify(trade(1)), 0);
    comparer.expire(9_999);
    expect(comparer.findings.found.missing).toBe(0);
    comparer.expire(10_000);
    expect(comparer.findings.found.missing).toBe(1);
    comparer.take('new', frame(trade(1)), 10_001);
    comparer.finish(20_000);
    expect(comparer.findings.found).toEqual({ ...NONE, missing: 1, extra: 1 });
    expect(comparer.findings.examples.missing).toEqual([
      expect.objectContaining({ topic: 'binance X trade', publication: JSON.stringify(trade(1)) }),
    ]);
  });

  it('count by when they first came', () => {
    const comparer = measuringComparer();
    comparer.findings.beginAt(100);
    comparer.findings.endAt(200);
    const times = [
      [1, 50, 150],
      [2, 150, 250],
      [3, 199, undefined],
      [4, 99, undefined],
      [5, 200, undefined],
      [6, 200, 201],
    ] as const;
    for (const [id, oldMs] of times) comparer.take('old', JSON.stringify(trade(id)), oldMs);
    for (const [id, , newMs] of times) if (newMs !== undefined) comparer.take('new', frame(trade(id)), newMs);
    comparer.finish(1_000);
    expect(comparer.findings).toMatchObject({ pairs: 1, judged: 2, found: { ...NONE, missing: 1 } });
  });

  it('are measured by which came first, and by how much', () => {
    const comparer = measuringComparer();
    for (const [id, oldMs, newMs] of [
      [1, 0, 10],
      [2, 10, 0],
      [3, 0, 10],
      [4, 5, 5],
    ] as const) {
      comparer.take('old', JSON.stringify(trade(id)), oldMs);
      comparer.take('new', frame(trade(id)), newMs);
    }
    expect(comparer.findings.first).toEqual({ old: 2, new: 1, both: 1 });
    const { count, p50, p99 } = comparer.findings.newAfterOld.summary();
    expect([count, p50]).toEqual([4, 0]);
    expect(Math.abs(p99 - 10)).toBeLessThan(0.33);
  });

  it('tell numbers that are texts, and moments that are dates, from other values', () => {
    const comparer = measuringComparer();
    comparer.take('old', JSON.stringify({ ...ticker(0, '5.0'), timestamp: '1970-01-01T00:00:01.000Z' }), 0);
    comparer.take('new', frame(ticker(0, 5)), 0);
    comparer.finish(10_000);
    expect(comparer.findings).toMatchObject({ pairs: 1, found: { ...NONE, types: 1 } });
    expect(fieldsOf(comparer).toSorted()).toEqual(['type data.lastPrice 1', 'type timestamp 1']);
  });

  it('are compared without what is to be ignored', () => {
    const comparer = measuringComparer({ ignored: readPaths('timestamp,data.bids[][]') });
    const book = (timestamp: number, size: number) => ({
      type: 'depth',
      symbol: 'X',
      timestamp,
      data: { bids: [[1, size]] },
    });
    comparer.take('old', JSON.stringify(book(1, 2)), 0);
    comparer.take('new', frame(book(3, 4)), 0);
    comparer.finish(10);
    expect(comparer.findings).toMatchObject({ pairs: 1, identical: 1, found: NONE });
  });

  it('agree where one says at the top what is to be ignored in its data', () => {
    const comparer = measuringComparer({ ignored: readPaths('data.lastPrice') });
    comparer.take('old', JSON.stringify(ticker(1, 5)), 0);
    comparer.take('new', frame({ ...ticker(1, 6), price: '6' }), 0);
    comparer.finish(10);
    expect(comparer.findings).toMatchObject({ pairs: 1, identical: 1, found: NONE });
    expect(fieldsOf(comparer)).toEqual(['derived price 1']);
  });

  it('are compared where the filter matches, whichever server sent them', () => {
    const comparer = measuringComparer({ terms: readFilter('symbols=x-y,dataTypes=kline').terms });
    sendBoth(comparer, { type: 'kline', exchange: 'b', symbol: 'XY', timestamp: 1, data: { interval: '1m' } });
    sendBoth(comparer, { type: 'trade', exchange: 'b', symbol: 'XY', timestamp: 1, data: {} });
    comparer.take('old', JSON.stringify(trade(1)), 0);
    comparer.finish(10);
    expect(comparer.findings).toMatchObject({ pairs: 1, judged: 1 });
    expect(comparer.tallies.old).toMatchObject({ publications: 1, filtered: 2, messages: 3 });
  });
});

describe('what the new server said it would not send', () => {
  it('is explained where a message stands for others', () => {
    const comparer = measuringComparer();
    for (let n = 1; n <= 5; n++) comparer.take('old', JSON.stringify(ticker(n)), n);
    comparer.take('new', frame(ticker(4), { merged: 2 }), 10);
    comparer.finish(10_000);
    // 1 and 5 are lost in silence; 2 and 3 are in 4.
    expect(comparer.findings.explained.old).toEqual({ merged: 2, dropped: 0, disconnected: 0 });
    expect(comparer.findings.found).toEqual({ ...NONE, missing: 2 });
  });

  it('is explained by a gap, up to the message behind it and as far as it counts', () => {
    const comparer = measuringComparer();
    for (let n = 1; n <= 6; n++) comparer.take('old', JSON.stringify(trade(n)), n);
    comparer.take('new', frame(trade(1)), 5);
    comparer.take('new', gap('trade', 3), 9);
    comparer.take('new', frame(trade(5)), 10);
    comparer.finish(10_000);
    expect(comparer.findings.explained.old.dropped).toBe(3);
    expect(comparer.findings.found).toEqual({ ...NONE, missing: 1 });
    expect(comparer.tallies.new).toMatchObject({ dropped: 3, others: { gap: 1 } });
  });

  it('is explained by a gap that nothing follows', () => {
    const comparer = measuringComparer();
    for (let n = 1; n <= 3; n++) comparer.take('old', JSON.stringify(trade(n)), n);
    comparer.take('new', gap('trade', 2), 9);
    comparer.take('new', gap('ticker', 5), 9);
    comparer.finish(10_000);
    expect(comparer.findings.explained.old.dropped).toBe(2);
    expect(comparer.findings.found.missing).toBe(1);
  });

  it('does not excuse what was sent before the message that came last', () => {
    const comparer = measuringComparer();
    for (let n = 1; n <= 4; n++) comparer.take('old', JSON.stringify(ticker(n)), n);
    comparer.take('new', frame(ticker(2)), 10);
    comparer.take('new', frame(ticker(4), { merged: 5 }), 11);
    comparer.finish(10_000);
    expect(comparer.findings.explained.old.merged).toBe(1);
    expect(comparer.findings.found.missing).toBe(1);
  });

  it('makes the levels of a merged book no difference, but the rest of it', () => {
    const book = (updateTime: number, bids: unknown, more: object = {}) => ({
      ...{ type: 'depth', exchange: 'b', symbol: 'X', timestamp: updateTime },
      data: { bids, asks: [], updateTime, ...more },
    });
    const comparer = measuringComparer();
    for (let n = 1; n <= 3; n++) comparer.take('old', JSON.stringify(book(n, [[n, 1]])), n);
    const whole = [1, 2, 3].map((price) => [price, 1]);
    comparer.take('new', frame(book(3, whole, { isSnapshot: true, note: 'x' }), { merged: 2 }), 10);
    comparer.finish(10_000);
    expect(comparer.findings.explained.old.merged).toBe(2);
    expect(fieldsOf(comparer)).toEqual(['value data.note 1']);
  });

  it('is not compared where it is a latest value, told again', () => {
    const comparer = measuringComparer();
    comparer.take('new', frame(ticker(1), { prevSeq: 0, snapshot: true }), 0);
    comparer.finish(10);
    expect(comparer.findings.judged).toBe(0);
    expect(comparer.tallies.new.others).toEqual({ snapshot: 1 });
  });

  it('is explained while its connection was lost, and some time around it', () => {
    const comparer = measuringComparer();
    comparer.tallies.new.lost({ fromMs: 20_000, toMs: 30_000, code: 1006, reason: '' });
    for (const atMs of [14_999, 15_000, 25_000, 31_999, 32_000])
      comparer.take('old', JSON.stringify(trade(atMs)), atMs);
    comparer.finish(50_000);
    expect(comparer.findings.explained.old.disconnected).toBe(3);
    expect(comparer.findings.found).toEqual({ ...NONE, missing: 2 });
  });
});

describe('a server that is behind at the end', () => {
  it('has not lost what it has not come to yet, but what lies before', () => {
    const comparer = measuringComparer();
    for (let n = 0; n < 10; n++) comparer.take('old', JSON.stringify(trade(n)), n);
    for (const n of [0, 1, 3, 4]) comparer.take('new', frame(trade(n)), 6_000 + n);
    comparer.finish(6_100);
    expect(comparer.findings).toMatchObject({ pairs: 4, found: { ...NONE, missing: 1 }, late: { old: 5, new: 0 } });
  });

  it('is one that was late to the end: one that fell silent has lost it', () => {
    const comparer = measuringComparer();
    for (let n = 0; n < 10; n++) comparer.take('old', JSON.stringify(trade(n)), n);
    for (const n of [0, 1, 3, 4]) comparer.take('new', frame(trade(n)), 10 + n);
    comparer.finish(9_000);
    expect(comparer.findings).toMatchObject({ pairs: 4, found: { ...NONE, missing: 6 }, late: { old: 0, new: 0 } });
  });
});

describe('the order of a topic', () => {
  it.each([
    [[1, 2, 3], 0],
    [[2, 1, 3], 1],
    [[1, 5, 2, 3, 4], 3],
    [[2, 3, 4, 1], 1],
    [[4, 3, 2, 1], 3],
  ])('%j: so many came later than one that followed them: %i', (order, reordered) => {
    for (const sides of [['old', 'new'] as const, ['new', 'old'] as const]) {
      const comparer = measuringComparer();
      const ids = { old: order.toSorted((a, b) => a - b), new: order };
      for (const [at, side] of sides.entries()) for (const id of ids[side]) comparer.take(side, frame(trade(id)), at);
      comparer.finish(1_000);
      expect(comparer.findings.found).toEqual({ ...NONE, reordered });
    }
  });

  it('is that of each topic alone', () => {
    const comparer = measuringComparer();
    comparer.take('old', JSON.stringify(trade(1)), 0);
    comparer.take('old', JSON.stringify(trade(2, { symbol: 'Y' })), 0);
    comparer.take('new', frame(trade(2, { symbol: 'Y' })), 0);
    comparer.take('new', frame(trade(1)), 0);
    comparer.finish(10);
    expect(comparer.findings.found).toEqual(NONE);
  });
});

describe('the limits of a comparison', () => {
  it('give up the oldest that wait, and say so', () => {
    const comparer = measuringComparer({ entriesMax: 10 });
    for (let id = 0; id < 25; id++) comparer.take('old', JSON.stringify(trade(id)), id);
    for (let id = 15; id < 25; id++) comparer.take('new', frame(trade(id)), 30);
    comparer.finish(1_000);
    expect(comparer.findings.unjudged).toBeGreaterThanOrEqual(15);
    expect(comparer.findings.found.missing).toBe(0);
    expect(comparer.findings.pairs).toBeLessThanOrEqual(10);
  });

  it('hold so much text', () => {
    const comparer = measuringComparer({ bytesMax: 1_000 });
    for (let id = 0; id < 4; id++) comparer.take('old', JSON.stringify(trade(id, { pad: 'p'.repeat(400) })), id);
    comparer.finish(1_000);
    expect(comparer.findings).toMatchObject({ unjudged: 3, found: { ...NONE, missing: 1 } });
  });

  it('count publications of too many topics and do not compare them', () => {
    const comparer = measuringComparer({ topicsMax: 2 });
    for (let n = 0; n < 5; n++) sendBoth(comparer, trade(n, { symbol: `S${n}` }));
    comparer.finish(10);
    expect(comparer.findings.pairs).toBe(2);
    expect([comparer.tallies.old.beyondTopics, comparer.tallies.new.beyondTopics]).toEqual([3, 3]);
  });

  it('forget what is settled', () => {
    const comparer = measuringComparer({ entriesMax: 100, windowMs: 50 });
    for (let n = 0; n < 10_000; n++) {
      sendBoth(comparer, n % 2 === 0 ? trade(n) : ticker(n), n);
      comparer.expire(n);
    }
    comparer.finish(20_000);
    expect(comparer.findings).toMatchObject({ pairs: 10_000, unjudged: 0, found: NONE });
  });
});

describe('what is no publication', () => {
  it('is counted by its type', () => {
    const comparer = measuringComparer();
    const messages = [
      { type: 'welcome', message: 'hello', timestamp: '2024-01-01T00:00:00.000Z' },
      { type: 'binance_status', connected: true, exchange: 'binance' },
      { type: 'ack', originalType: 'subscribe', data: {} },
      { type: 'error', payload: { code: 'TOO_MANY_SUBSCRIPTIONS' } },
      { hello: 1 },
    ];
    for (const message of messages) comparer.take('old', JSON.stringify(message), 0);
    expect(comparer.tallies.old).toMatchObject({
      publications: 0,
      others: { welcome: 1, binance_status: 1, ack: 1, error: 1, '(none)': 1 },
      errors: ['{"code":"TOO_MANY_SUBSCRIPTIONS"}'],
    });
  });

  it('is unusable where it is no JSON object', () => {
    const comparer = measuringComparer();
    for (const text of ['', 'ping', '[1]', '7', 'null', '{"type":', '"x"']) comparer.take('new', text, 0);
    expect(comparer.tallies.new.unusable).toBe(7);
  });

  it('does not break it, however deep it is', () => {
    const comparer = measuringComparer();
    const deep = (innermost: string) =>
      `{"type":"odd","symbol":"X","data":${'['.repeat(50_000)}${innermost}${']'.repeat(50_000)}}`;
    comparer.take('old', deep('1'), 0);
    comparer.take('new', deep('2'), 0);
    comparer.take('new', deep('3'), 0);
    comparer.finish(10);
    expect(comparer.findings).toMatchObject({ pairs: 1, found: { ...NONE, extra: 1 } });
  });
});

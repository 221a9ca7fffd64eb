import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestCommands } from '../support/test-commands.ts';

let test: TestCommands;

beforeEach(() => {
  test = new TestCommands({ limits: { commandsPerSecond: 0 } });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Lets promises that are settled run on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('ping and pong', () => {
  it.each([
    'ping',
    '{"type":"ping","timestamp":"2024-01-01T00:00:00Z"}',
    '{"op":"ping"}',
    '{"method":"ping"}',
    '{"action":"ping"}',
  ])('T10 answers %s at once', (text) =>
    test.expectReply(text, 'pong', { timestamp: expect.any(Number), sessionId: test.connection.id }),
  );

  it('T10 repeats the id of a ping', () => {
    test.expectReplies({ type: 'ping' }, 'pong', { timestamp: expect.any(Number), sessionId: test.connection.id });
    test.expectReply({ method: 'ping', id: 3 }, 'pong', expect.anything(), 3);
  });

  it('T11 says nothing to a pong', () => {
    expect(test.send({ type: 'pong' })).toEqual([]);
    expect(test.send({ type: 'pong', id: 1 })).toEqual([]);
  });

  it('tells the time in whole milliseconds', () => {
    const [reply] = test.send('ping');
    expect(Math.abs((reply!.timestamp as number) - Date.now())).toBeLessThan(60_000);
    expect(Number.isInteger(reply!.timestamp)).toBe(true);
  });
});

describe('what only the primary knows', () => {
  it.each([
    ['getAdapterStatus', 'adapterStatus', 'adapterStatus'],
    ['getSystemStats', 'systemStats', 'systemStats'],
  ])('T20 answers %s with what it says', async (type, name, reply) => {
    test.shard.answer = async () => ({ adapters: [], timestamp: 5 });
    expect(test.send({ type, payload: { anything: 1 }, id: 'q' })).toEqual([]);
    await settled();
    expect(test.shard.asked).toEqual([name]);
    const payload = { adapters: [], timestamp: 5 };
    expect(test.replies()).toEqual([{ type: reply, payload, timestamp: expect.any(Number), id: 'q' }]);
  });

  it('T18 adds what the connection has subscribed to the answer to getStats', async () => {
    test.shard.answer = async () => ({ connections: { total: 1, active: 1, avgDuration: 0 } });
    test.send({ type: 'subscribe', payload: { symbols: ['A'] } });
    test.send({ type: 'subscribe', payload: { channel: 'news' } });
    test.subscriptions.match(test.shard.primary.addTopic({ exchange: 'x', symbol: 'A', dataType: 'trade' }));
    test.send({ type: 'getStats' });
    await settled();
    const subscription = {
      totalSubscriptions: 2,
      activeFilters: 1,
      matchOperations: 1,
      lastActivity: test.connection.lastActivity,
    };
    expect(test.replies()).toEqual([
      {
        type: 'stats',
        payload: { connections: { total: 1, active: 1, avgDuration: 0 }, subscription },
        timestamp: expect.any(Number),
      },
    ]);
  });

  it.each(['getStats', 'getAdapterStatus', 'getSystemStats'])(
    'says so when the primary does not answer %s',
    async (type) => {
      test.shard.answer = async () => Promise.reject(new Error('not within 5000 ms'));
      test.send({ type, id: 9 });
      await settled();
      const detail = { reason: 'not within 5000 ms' };
      const payload = { code: 'REQUEST_FAILED', message: expect.any(String), detail };
      expect(test.replies()).toEqual([{ type: 'error', payload, timestamp: expect.any(Number), id: 9 }]);
      expect([test.connection.errors, test.statistics.get('errors')]).toEqual([1, 1]);
    },
  );

  it('says nothing to a connection that has begun to close meanwhile', async () => {
    test.send({ type: 'getSystemStats' });
    test.connection.state = 'closing';
    await settled();
    expect(test.replies()).toEqual([]);
  });

  it('answers each question with its own id, in whatever order the answers come', async () => {
    const answers: ((payload: Record<string, unknown>) => void)[] = [];
    test.shard.answer = () => new Promise((resolve) => answers.push(resolve));
    for (const id of ['a', 'b', 'c']) test.send({ type: 'getSystemStats', id });
    for (const i of [2, 0, 1]) {
      answers[i]!({ n: i });
      await settled();
    }
    expect(test.replies().map(({ id, payload }) => [id, payload])).toEqual([
      ['c', { n: 2 }],
      ['a', { n: 0 }],
      ['b', { n: 1 }],
    ]);
  });
});

describe('requestSnapshot', () => {
  beforeEach(() => {
    test = new TestCommands({ limits: { commandsPerSecond: 0 } });
    const { primary } = test.shard;
    for (let i = 0; i < 3; i++) primary.publish('BTC/USDT');
    primary.publishAs('ticker', 'BTC/USDT', { price: 5 });
    primary.publish('ETH/USDT');
  });

  const payloadOf = (symbol: string, type: string, data: object) => ({
    ...{ type, exchange: 'binance', symbol, timestamp: 1, data },
  });

  it('T20 answers with the latest of what was named, and repeats that as it was named', () => {
    test.shard.duty.flush();
    const asked = { exchange: 'Binance', symbols: ['btc/usdt'] };
    test.expectReplies({ type: 'requestSnapshot', payload: asked }, 'snapshot', {
      ...asked,
      data: [
        payloadOf('BTC/USDT', 'trade', { padding: '', n: 3 }),
        payloadOf('BTC/USDT', 'ticker', { price: 5, n: 4 }),
      ],
      timestamp: expect.any(Number),
    });
    expect(test.shard.asked).toEqual([]);
  });

  it('T20 takes what a snapshot is of from beside the type as well', () => {
    test.shard.duty.flush();
    const [reply] = test.send({
      type: 'requestSnapshot',
      exchange: 'Binance',
      symbols: 'ethusdt',
      dataTypes: 'trades',
    });
    expect(reply!.payload).toMatchObject({ exchange: 'Binance', symbols: 'ethusdt', dataTypes: 'trades' });
    expect(reply!.payload).toMatchObject({ data: [{ symbol: 'ETH/USDT', data: { n: 5 } }] });
  });

  it('knows what the shard has passed on, and nothing newer', () => {
    const asked = { symbols: 'ETHUSDT' };
    test.expectReply({ type: 'requestSnapshot', payload: asked }, 'snapshot', {
      ...asked,
      data: [],
      timestamp: expect.any(Number),
    });
    test.shard.duty.flush();
    test.shard.publish('ETH/USDT');
    expect(test.send({ type: 'requestSnapshot', payload: asked })).toMatchObject([
      { payload: { data: [{ data: { n: 5 } }] } },
    ]);
  });

  it('answers with the full book of a depth, not with its last update', () => {
    const { primary } = test.shard;
    primary.publishAs('depth', 'B', { bids: [[10, 1]], asks: [[11, 1]], isSnapshot: true });
    primary.publishAs('depth', 'B', { bids: [[9, 2]], asks: [[11, 0]] });
    test.shard.duty.flush();
    const [reply] = test.send({ type: 'requestSnapshot', symbols: 'B' });
    expect((reply!.payload as { data: unknown }).data).toEqual([
      payloadOf('B', 'depth', {
        bids: [
          [10, 1],
          [9, 2],
        ],
        asks: [],
        n: 7,
        isSnapshot: true,
      }),
    ]);
  });

  it('says so where there is more than fits one answer', () => {
    test = new TestCommands({}, { ringBytes: 4 * 1024 * 1024 });
    for (let i = 0; i < 1_001; i++) test.shard.publish(`S${i}`);
    test.shard.duty.flush();
    const [reply] = test.send({ type: 'requestSnapshot' });
    const { data, truncated } = reply!.payload as { data: unknown[]; truncated?: boolean };
    expect([data.length, truncated]).toEqual([1_000, true]);
  });

  it('refuses a snapshot of something that is no list of names', () => {
    test.expectReplies({ type: 'requestSnapshot', payload: { symbols: [5] } }, 'error', {
      code: 'INVALID_REQUEST',
      message: expect.any(String),
      detail: { key: 'symbols', problem: 'item 0 is a number', allowed: expect.any(String) },
    });
  });

  it('refuses one of more combinations than filters may name', () => {
    test = new TestCommands({ limits: { commandsPerSecond: 0, filterTerms: 3 } });
    test.expectReplies({ type: 'requestSnapshot', payload: { symbols: ['A', 'B'], dataTypes: ['x', 'y'] } }, 'error', {
      code: 'INVALID_REQUEST',
      message: expect.any(String),
      detail: { key: 'symbols', problem: 'names 4 combinations', allowed: expect.any(String) },
    });
  });

  it('is refused once such answers have taken their share of the thread, and answered again in the next second', () => {
    let nowMs = 1_000_000;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const { values } = test.shard.delivery;
    vi.spyOn(values, 'payload').mockImplementation(() => {
      nowMs += 90;
      return {};
    });
    test.shard.duty.flush();
    const ask = () => test.send({ type: 'requestSnapshot', symbols: 'ETHUSDT' })[0];
    for (let i = 0; i < 3; i++) expect(ask()).toMatchObject({ type: 'snapshot' });
    expect(ask()).toMatchObject({ type: 'error', payload: { code: 'REQUEST_FAILED' } });
    expect(test.send({ type: 'getLedger' })).toMatchObject([{ type: 'error', payload: { code: 'REQUEST_FAILED' } }]);
    nowMs += 1_000;
    expect(ask()).toMatchObject({ type: 'snapshot' });
  });
});

describe('protocol PINGs (T41)', () => {
  it('take from the same budget as commands', () => {
    test = new TestCommands({ limits: { commandsPerSecond: 5 } });
    for (let i = 0; i < 10; i++) test.commands.pinged(test.connection);
    expect(test.statistics.get('rateLimited')).toBe(0);
    expect(test.send('ping')).toMatchObject([{ type: 'error', payload: { code: 'RATE_LIMIT_EXCEEDED' } }]);
    test.commands.pinged(test.connection);
    expect(test.statistics.get('rateLimited')).toBe(2);
  });
});

describe('what cannot be answered', () => {
  it.each(['', 'x', '{', '[]', 'null', '5', '{"type":5}', '{"type":""}', '{}'])('T21 refuses %j', (text) => {
    test.expectReply(text, 'error', {
      code: 'INVALID_MESSAGE',
      message: 'Invalid message format',
      detail: { problem: expect.any(String) },
    });
    expect(test.statistics.get('invalidMessages')).toBe(1);
    expect(test.closes).toEqual([]);
  });

  it('T21 repeats the id where there is one', () => {
    test.expectReply({ type: 5, id: 'x' }, 'error', expect.objectContaining({ code: 'INVALID_MESSAGE' }), 'x');
  });

  it.each(['hello', 'toString', '__proto__', 'constructor', 'hasOwnProperty', 'Subscribe'])(
    'T22 says nothing to the unknown type %s unless it is asked by id',
    (type) => {
      expect(test.send(JSON.stringify({ type }))).toEqual([]);
      expect(test.connection.errors).toBe(0);
      const payload = { code: 'UNKNOWN_MESSAGE_TYPE', message: expect.any(String), detail: { type } };
      test.expectReply({ type, id: 1 }, 'error', payload, 1);
      expect(test.statistics.get('unknownMessages')).toBe(2);
      expect(test.logger.lines.map(({ level, fields }) => [level, fields.type])).toEqual([
        ['debug', type],
        ['debug', type],
      ]);
    },
  );

  it('T22 neither logs nor repeats a long type in full', () => {
    const [reply] = test.send({ type: 'x'.repeat(10_000), id: 1 });
    expect(JSON.stringify(reply).length).toBeLessThan(500);
    expect(JSON.stringify(test.logger.lines).length).toBeLessThan(500);
  });

  it('counts a command and marks the time of it, whatever it is', () => {
    test.connection.lastActivity = 0;
    test.send('x');
    expect(test.statistics.get('commands')).toBe(1);
    expect(test.connection.lastActivity).toBeGreaterThan(0);
  });
});

describe('a client that sends too much (T25)', () => {
  const START = new Date('2026-01-01T00:00:00Z');
  const refusal = {
    code: 'RATE_LIMIT_EXCEEDED',
    message: 'Too many messages. Please slow down.',
    detail: { commandsPerSecond: 10 },
  };

  beforeEach(() => {
    vi.useFakeTimers({ now: START, toFake: ['Date'] });
    test = new TestCommands({ limits: { commandsPerSecond: 10 } });
  });

  it('is answered up to twice the rate, then told, with its id', () => {
    for (let i = 0; i < 20; i++) expect(test.send('ping')).toHaveLength(1);
    test.expectReply({ type: 'ping', id: 'late' }, 'error', refusal, 'late');
    test.expectReply('ping', 'error', refusal);
    expect(test.statistics.get('rateLimited')).toBe(2);
  });

  it('changes nothing by what is refused', () => {
    for (let i = 0; i < 20; i++) test.send('ping');
    test.send({ type: 'subscribe', payload: { symbols: 'A' } });
    expect([test.connection.explicit, test.subscriptions.filtersInForce]).toEqual([false, 0]);
  });

  it('is told as often a second as it may ask', () => {
    for (let i = 0; i < 1_000; i++) test.send('ping');
    expect(test.send('ping')).toEqual([]);
    expect(test.statistics.get('errors')).toBe(10);
    expect(test.statistics.get('rateLimited')).toBe(981);
  });

  it('is closed once it has gone on for ten seconds, and not before', () => {
    for (let ms = 0; ms < 10_000; ms += 10) {
      vi.setSystemTime(START.getTime() + ms);
      test.send('ping');
    }
    expect(test.closes).toEqual([]);
    for (let ms = 10_000; ms < 10_500 && test.closes.length === 0; ms += 10) {
      vi.setSystemTime(START.getTime() + ms);
      test.send('ping');
    }
    expect(test.closes).toEqual(['rateLimited']);
  });

  it('is not closed when it pauses', () => {
    for (let second = 0; second < 60; second++) {
      // Five seconds of flood, then three of quiet.
      if (second % 8 >= 5) continue;
      vi.setSystemTime(START.getTime() + second * 1_000);
      for (let i = 0; i < 50; i++) test.send('ping');
    }
    expect(test.statistics.get('rateLimited')).toBeGreaterThan(100);
    expect(test.closes).toEqual([]);
  });
});

describe('a client that does not read what it asks for', () => {
  it('gets no reply once the proxy has given up on it', () => {
    test.givesUp = true;
    expect(test.send('ping')).toEqual([]);
    expect(test.send({ type: 'subscribe', payload: {}, id: 1 })).toEqual([]);
  });
});

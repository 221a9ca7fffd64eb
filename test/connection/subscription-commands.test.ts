import { beforeEach, describe, expect, it } from 'vitest';
import { TestCommands } from '../support/test-commands.ts';

let test: TestCommands;

beforeEach(() => {
  test = new TestCommands({ limits: { commandsPerSecond: 0 } });
});

function gets(exchange: string, symbol: string, dataType: string): boolean {
  const topic = test.shard.primary.addTopic({ exchange, symbol, dataType });
  return test.subscriptions.match(topic).some(({ members }) => members.includes(test.connection));
}

function error(code: string, detail: unknown = expect.any(Object)) {
  return { code, message: expect.any(String), detail };
}

describe('filters', () => {
  it.each([[{ exchange: 'Binance', symbols: ['btc/usdt'], dataTypes: ['trades'] }], [{ symbols: [] }], [{}]])(
    'T12 subscribes to %j and repeats it unchanged',
    (payload) => {
      test.expectReplies({ type: 'subscribe', payload }, 'subscribed', {
        filterId: expect.stringMatching(/./),
        filter: payload,
        seq: 0,
      });
      expect(test.connection.explicit).toBe(true);
    },
  );

  it('T12 says which publication was the newest that the shard had passed on', () => {
    for (let i = 0; i < 3; i++) test.shard.publish('A');
    test.shard.duty.flush();
    test.shard.publish('A');
    expect(test.send({ type: 'subscribe', payload: { symbols: 'A' } })).toMatchObject([{ payload: { seq: 3 } }]);
  });

  it('T12 gives each filter an id of its own', () => {
    const ids = Array.from({ length: 5 }, () => {
      const [reply] = test.send({ type: 'subscribe', payload: { symbols: 'A' } });
      return (reply!.payload as { filterId: string }).filterId;
    });
    expect(new Set(ids).size).toBe(5);
    expect(test.statistics.get('filtersInForce')).toBe(5);
  });

  it.each([
    [{ exchanges: ['binance'], symbol: 'A', types: 'trade' }],
    [{ exchange: 'binance', symbols: ['A', 'B'], dataType: ['trades'] }],
  ])('T12 takes the aliases of %j', (payload) => {
    test.send({ type: 'subscribe', payload });
    expect([gets('binance', 'A', 'trade'), gets('kraken', 'A', 'trade')]).toEqual([true, false]);
    expect([gets('binance', 'C', 'trade'), gets('binance', 'A', 'depth')]).toEqual([false, false]);
  });

  it('takes a filter that stands beside the type, where there is no payload', () => {
    test.expectReply({ action: 'subscribe', symbols: ['A'], id: 4 }, 'subscribed', expect.anything(), 4);
    expect([gets('x', 'A', 'trade'), gets('x', 'B', 'trade')]).toEqual([true, false]);
  });

  it('T15 withdraws a filter by its id, and answers alike for an id that it does not know', () => {
    const [reply] = test.send({ type: 'subscribe', payload: { symbols: 'A' } });
    const { filterId } = reply!.payload as { filterId: string };
    expect(gets('x', 'A', 'trade')).toBe(true);
    test.expectReplies({ type: 'unsubscribe', payload: { filterId } }, 'unsubscribed', { filterId });
    expect(gets('x', 'A', 'trade')).toBe(false);
    test.expectReply({ type: 'unsubscribe', payload: { filterId: 'no' } }, 'unsubscribed', { filterId: 'no' });
    expect(test.statistics.get('filtersInForce')).toBe(0);
  });

  it.each([[{}], [undefined], [null]])('T17 withdraws everything for a payload of %j', (payload) => {
    test.send({ type: 'subscribe', payload: { symbols: 'A' } });
    test.send({ type: 'subscribe', payload: { channel: 'news' } });
    test.expectReplies({ type: 'unsubscribe', ...(payload === undefined ? {} : { payload }) }, 'unsubscribed', {});
    expect(gets('x', 'A', 'trade')).toBe(false);
    expect(test.connection.subscriptionCount).toBe(0);
    expect([test.statistics.get('filtersInForce'), test.statistics.get('channelsInForce')]).toEqual([0, 0]);
  });

  it('T17 T33 leaves the firehose to a connection that never sent a filter', () => {
    test.subscriptions.joinFirehose(test.connection);
    test.send({ type: 'unsubscribe' });
    expect(gets('x', 'A', 'trade')).toBe(true);
  });

  it('withdraws nothing when it is told to by a key that it does not know', () => {
    test.send({ type: 'subscribe', payload: { symbols: 'A' } });
    test.expectReplies(
      { type: 'unsubscribe', payload: { symbols: 'A' } },
      'error',
      error('INVALID_SUBSCRIPTION', {
        key: 'symbols',
        problem: expect.any(String),
        allowed: expect.any(String),
      }),
    );
    expect(gets('x', 'A', 'trade')).toBe(true);
  });
});

describe('channels', () => {
  it('T13 remembers a channel of any name, again and again, and leaves the firehose on', () => {
    test.subscriptions.joinFirehose(test.connection);
    for (const channel of ['news', 'binance:BTC/USDT@trade', '', '__proto__', 'é'.repeat(1_024)]) {
      test.expectReplies({ type: 'subscribe', payload: { channel } }, 'subscribed', { channel });
    }
    expect([test.connection.subscriptionCount, test.connection.explicit]).toEqual([5, false]);
    expect(gets('x', 'A', 'trade')).toBe(true);
    expect(test.statistics.get('channelsInForce')).toBe(5);
  });

  it('T14 says of each of several channels how it went', () => {
    const results = [
      { channel: 'a', success: true },
      { channel: 5, success: false, error: 'Invalid channel format' },
      { channel: 'a', success: true },
      { channel: null, success: false, error: 'Invalid channel format' },
      { channel: 'b', success: true },
    ];
    const channels = results.map(({ channel }) => channel);
    test.expectReplies({ type: 'subscribe', payload: { channels } }, 'subscribed', { results, totalSubscriptions: 2 });
    test.expectReply({ type: 'subscribe', payload: { channels: [] } }, 'subscribed', {
      results: [],
      totalSubscriptions: 2,
    });
  });

  it('T16 withdraws one channel or several', () => {
    test.send({ type: 'subscribe', payload: { channels: ['a', 'b', 'c'] } });
    test.expectReplies({ type: 'unsubscribe', payload: { channel: 'a' } }, 'unsubscribed', { channel: 'a' });
    test.expectReplies({ type: 'unsubscribe', payload: { channels: ['b', 7, 'never'] } }, 'unsubscribed', {
      results: [
        { channel: 'b', success: true },
        { channel: 7, success: false, error: 'Invalid channel format' },
        { channel: 'never', success: true },
      ],
      totalSubscriptions: 1,
    });
    expect(test.statistics.get('channelsInForce')).toBe(1);
  });

  it('T19 lists channels and filters', () => {
    const [reply] = test.send({ type: 'subscribe', payload: { exchange: 'Binance', symbols: ['a/b'] } });
    const { filterId } = reply!.payload as { filterId: string };
    test.send({ type: 'subscribe', payload: { channels: ['x', 'y'] } });
    test.expectReplies({ type: 'getSubscriptions' }, 'subscriptions', {
      subscriptions: ['x', 'y'],
      count: 3,
      filters: [{ exchange: 'Binance', symbols: ['a/b'], clientId: test.connection.id, filterId }],
    });
  });

  it('T19 lists nothing where there is nothing', () => {
    test.expectReply({ type: 'getSubscriptions' }, 'subscriptions', { subscriptions: [], count: 0, filters: [] });
  });

  it('are forgotten with their connection', () => {
    test.send({ type: 'subscribe', payload: { channels: ['a', 'b'] } });
    test.commands.disconnected(test.connection);
    test.commands.disconnected(test.connection);
    expect(test.statistics.get('channelsInForce')).toBe(0);
  });
});

describe('a subscription that can not be (T24)', () => {
  it.each([
    [{ symbols: 5 }, 'symbols'],
    [{ symbols: ['A', {}] }, 'symbols'],
    [{ exchange: [''] }, 'exchange'],
    [{ types: { trade: true } }, 'types'],
    [{ channel: 5 }, 'channel'],
    [{ channel: ['a'] }, 'channel'],
    [{ channel: 'x'.repeat(1_025) }, 'channel'],
    [{ channels: 'a' }, 'channels'],
    [{ channels: { a: 1 } }, 'channels'],
  ])('is refused with the key that is wrong, and changes nothing: %j', (payload, key) => {
    const detail = { key, problem: expect.any(String), allowed: expect.any(String) };
    test.expectReplies({ type: 'subscribe', payload }, 'error', error('INVALID_SUBSCRIPTION', detail));
    expect([test.connection.explicit, test.connection.subscriptionCount, test.connection.errors]).toEqual([
      false,
      0,
      3,
    ]);
  });

  it('is refused for more than ten thousand channels at once', () => {
    const channels = Array.from({ length: 10_001 }, () => 'a');
    const detail = { key: 'channels', problem: 'has 10001 items', allowed: expect.any(String) };
    for (const type of ['subscribe', 'unsubscribe']) {
      test.expectReplies({ type, payload: { channels } }, 'error', error('INVALID_SUBSCRIPTION', detail));
    }
    expect(test.connection.subscriptionCount).toBe(0);
  });

  it.each([
    [{ channel: 5 }, 'channel'],
    [{ channel: {} }, 'channel'],
    [{ channels: 'a' }, 'channels'],
    [{ filterId: 5 }, 'filterId'],
    [{ filterId: ['a'] }, 'filterId'],
    [{ filterId: null }, 'filterId'],
  ])('is not withdrawn by %j', (payload, key) => {
    test.send({ type: 'subscribe', payload: { symbols: 'A' } });
    const detail = { key, problem: expect.any(String), allowed: expect.any(String) };
    test.expectReplies({ type: 'unsubscribe', payload }, 'error', error('INVALID_SUBSCRIPTION', detail));
    expect(test.connection.filters.size).toBe(1);
  });

  // The mechanism: JSON is read to any depth but written only to some thousands of levels, and a reply that repeats what
  // it was given threw, in a listener, which ended the shard's thread.
  it.each([
    ['subscribe', '{"channel":DEEP}'],
    ['subscribe', '{"channels":[DEEP]}'],
    ['subscribe', '{"symbols":[DEEP]}'],
    ['unsubscribe', '{"channel":DEEP}'],
    ['unsubscribe', '{"channels":["a",DEEP]}'],
    ['unsubscribe', '{"filterId":DEEP}'],
    ['unsubscribe', '{"other":DEEP}'],
    ['requestSnapshot', '{"symbols":DEEP}'],
    ['ping', '{"payload":DEEP}'],
  ])('is answered when it is nested a hundred thousand levels deep: %s %s', (type, payload) => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const replies = test.send(`{"type":"${type}","payload":${payload.replace('DEEP', deep)},"id":1}`);
    expect(replies).toMatchObject([{ id: 1 }]);
    expect(test.connection.subscriptionCount).toBe(0);
  });

  it('is refused beyond subscriptionsPerConnection, filters and channels counted together', () => {
    test = new TestCommands({ limits: { commandsPerSecond: 0, subscriptionsPerConnection: 3 } });
    test.send({ type: 'subscribe', payload: { symbols: 'A' } });
    test.send({ type: 'subscribe', payload: { channel: 'a' } });
    test.expectReply({ type: 'subscribe', payload: { channels: ['a', 'b', 'c'] } }, 'subscribed', {
      results: [
        { channel: 'a', success: true },
        { channel: 'b', success: true },
        { channel: 'c', success: false, error: expect.any(String) },
      ],
      totalSubscriptions: 3,
    });
    const refusal = error('TOO_MANY_SUBSCRIPTIONS', { allowed: 3 });
    test.expectReplies({ type: 'subscribe', payload: { symbols: 'B' } }, 'error', refusal);
    test.expectReplies({ type: 'subscribe', payload: { channel: 'c' } }, 'error', refusal);
    test.expectReply({ type: 'subscribe', payload: { channel: 'a' } }, 'subscribed', { channel: 'a' });
    expect([gets('x', 'A', 'trade'), gets('x', 'B', 'trade')]).toEqual([true, false]);
  });

  it('is refused beyond filterTerms combinations, over all filters of the connection', () => {
    test = new TestCommands({ limits: { commandsPerSecond: 0, filterTerms: 10 } });
    test.send({ type: 'subscribe', payload: { symbols: ['A', 'B'], dataTypes: ['trade', 'depth'] } });
    const refusal = error('TOO_MANY_SUBSCRIPTIONS', { combinations: 11, allowed: 10 });
    test.expectReplies({ type: 'subscribe', payload: { symbols: [...'CDEFGHI'] } }, 'error', refusal);
    expect(test.connection.filters.size).toBe(1);
    expect(test.send({ type: 'subscribe', payload: { symbols: [...'CDEFGH'] } })).toMatchObject([
      { type: 'subscribed' },
    ]);
  });

  it('is never refused for its number where the limits are 0', () => {
    test = new TestCommands({ limits: { commandsPerSecond: 0, filterTerms: 0, subscriptionsPerConnection: 0 } });
    const symbols = Array.from({ length: 20_000 }, (_, i) => `S${i}`);
    expect(test.send({ type: 'subscribe', payload: { symbols } })).toMatchObject([{ type: 'subscribed' }]);
    for (let i = 0; i < 2_000; i++) test.send({ type: 'subscribe', payload: { symbols: `S${i}` } });
    expect(test.connection.filters.size).toBe(2_001);
  });
});

import { describe, expect, it } from 'vitest';
import { DeliveryShard } from '../support/delivery-shard.ts';

const NOBODY = { exchange: 'binance', merged: 0, dropped: {}, pending: 0 };

describe('ledgerOf', () => {
  it('says of a connection that keeps up that it got everything', () => {
    const shard = new DeliveryShard();
    const client = shard.client();
    shard.stage.tell('trade', 'A');
    client.ask('subscribe', { symbols: ['A', 'B'] });
    for (const symbol of ['A', 'B', 'C', 'A']) shard.stage.publish('trade', symbol);
    shard.flush();
    expect(client.ask('getLedger')).toEqual({
      epoch: 'epoch-1',
      seq: 5,
      state: 'live',
      published: 3,
      delivered: 3,
      merged: 0,
      dropped: {},
      pending: 0,
      snapshots: 0,
      lagMs: 0,
      topics: [
        { ...NOBODY, symbol: 'A', dataType: 'trade', published: 2, delivered: 2 },
        { ...NOBODY, symbol: 'B', dataType: 'trade', published: 1, delivered: 1 },
      ],
    });
  });

  it('is true at its point of the stream: what has been gathered is written before it', () => {
    const shard = new DeliveryShard();
    const client = shard.client('everything');
    shard.stage.publish('trade', 'A');
    shard.duty.drain();
    expect(client.ask('getLedger')).toMatchObject({ published: 1, delivered: 1 });
    expect(client.told()).toEqual(['A 1 <0']);
    expect(client.problems).toEqual([]);
  });

  it('counts as pending whatever waits, also what a gap will tell', async () => {
    const shard = new DeliveryShard({ config: { limits: { pendingMessages: 3 } } });
    const client = shard.client('everything');
    client.socket.shut();
    shard.stage.publish('trade', 'A');
    shard.flush();
    for (const symbol of ['A', 'B', 'A', 'B', 'A']) shard.stage.publish('trade', symbol);
    for (let i = 0; i < 4; i++) shard.stage.publish('ticker', 'T');
    shard.flush();
    const id = client.send('getLedger');
    client.socket.open();
    await shard.settle();
    expect(client.reply(id)).toMatchObject({
      state: 'behind',
      published: 10,
      delivered: 1,
      merged: 0,
      dropped: {},
      pending: 9,
    });
    expect(client.ask('getLedger')).toMatchObject({
      state: 'live',
      published: 10,
      delivered: 4,
      merged: 3,
      dropped: { slow_consumer: 3 },
      pending: 0,
    });
    expect(client.problems).toEqual([]);
  });

  it('knows what was told of filters that are withdrawn, and lists no topic twice', () => {
    const shard = new DeliveryShard();
    const client = shard.client();
    const { filterId } = client.ask('subscribe', { symbols: ['A'] });
    client.ask('subscribe', { dataTypes: ['trade'] });
    shard.stage.publish('trade', 'A');
    shard.stage.publish('trade', 'B');
    shard.flush();
    client.ask('unsubscribe', { filterId });
    shard.stage.publish('trade', 'A');
    shard.flush();
    client.ask('unsubscribe');
    shard.stage.publish('trade', 'A');
    shard.flush();
    const { topics, published } = client.ask('getLedger');
    expect(published).toBe(3);
    expect(topics).toMatchObject([
      { symbol: 'A', published: 2 },
      { symbol: 'B', published: 1 },
    ]);
    expect(client.problems).toEqual([]);
  });

  it('lists a thousand topics, and says that there are more', () => {
    const shard = new DeliveryShard({ ringBytes: 1024 * 1024, topicsMax: 2_000 });
    const client = shard.client('everything');
    for (let i = 0; i < 1_001; i++) shard.stage.publish('trade', `S${i}`);
    shard.flush();
    const { topics, ...ledger } = client.ask('getLedger') as { topics: unknown[] };
    expect(topics).toHaveLength(1_000);
    expect(ledger).toMatchObject({ published: 1_001, delivered: 1_001, truncated: true });
  });
});

import { describe, expect, it } from 'vitest';
import { DeliveryShard } from '../support/delivery-shard.ts';

const EPOCH = 'epoch-1';
const WHOLE = { bids: [[1, 1]], asks: [], isSnapshot: true };

/** A shard that has read a trade of A, a ticker of B and a book of C, in this order. */
function shardOfThree(): DeliveryShard {
  const shard = new DeliveryShard();
  shard.stage.tell('trade', 'A');
  shard.stage.tell('ticker', 'B');
  shard.stage.tell('depth', 'C', WHOLE);
  return shard;
}

describe('a subscription', () => {
  it('begins with the next publication', async () => {
    const shard = shardOfThree();
    const client = shard.client();
    expect(client.ask('subscribe', {})).toEqual({ filterId: expect.any(String), filter: {}, seq: 3 });
    for (const symbol of ['A', 'D']) shard.stage.publish('trade', symbol);
    await shard.settle();
    expect(client.told()).toEqual(['A 4 <1', 'D 5 <0']);
    expect(client.problems).toEqual([]);
  });

  it('begins with latest values where they are asked for, behind its reply', async () => {
    const shard = shardOfThree();
    const client = shard.client();
    expect(client.ask('subscribe', { snapshot: true })).toMatchObject({ seq: 3, snapshot: { topics: 3, missing: 0 } });
    await shard.settle();
    const types = client.read().map(({ type }) => type);
    expect(types).toEqual(['subscribed', 'trade', 'ticker', 'depth']);
    expect(client.told()).toEqual(['A 1 <0 snapshot', 'B 2 <0 snapshot', 'C 3 <0 snapshot']);
    shard.stage.publish('trade', 'A');
    await shard.settle();
    expect(client.told('A').at(-1)).toBe('A 4 <1');
    expect(client.ask('getLedger')).toMatchObject({ published: 1, delivered: 1, snapshots: 3 });
    expect(client.problems).toEqual([]);
  });

  it('tells how many latest values are not kept', async () => {
    const shard = new DeliveryShard();
    for (let i = 0; i < 40; i++) shard.stage.tell('ticker', `S${i}`, 'x'.repeat(1_000));
    shard.stage.goRound(2, 'S39');
    const client = shard.client();
    const { snapshot } = client.ask('subscribe', { dataTypes: ['ticker'], snapshot: true }) as {
      snapshot: { topics: number; missing: number };
    };
    expect(snapshot.missing).toBeGreaterThan(0);
    expect(snapshot.topics + snapshot.missing).toBe(40);
    await shard.settle();
    expect(client.told()).toHaveLength(snapshot.topics);
    expect(client.problems).toEqual([]);
  });

  it('has nothing to begin with where nothing matches', async () => {
    const shard = shardOfThree();
    const client = shard.client();
    expect(client.ask('subscribe', { symbols: ['Z'], snapshot: true })).toMatchObject({
      snapshot: { topics: 0, missing: 0 },
    });
    expect(client.connection.backlog).toBeUndefined();
    await shard.settle();
    expect(client.told()).toEqual([]);
  });

  it('tells values again of topics that its connection gets already, and nothing twice', async () => {
    const shard = shardOfThree();
    const client = shard.client('everything');
    shard.stage.publish('ticker', 'B');
    shard.flush();
    client.ask('subscribe', { symbols: ['B'], snapshot: true });
    shard.stage.publish('ticker', 'B');
    await shard.settle();
    expect(client.told('B')).toEqual(['B 4 <2', 'B 4 <0 snapshot', 'B 5 <4']);
    expect(client.ask('getLedger')).toMatchObject({ published: 2, delivered: 2, snapshots: 1 });
    expect(client.problems).toEqual([]);
  });

  it('leaves a value out that is pending for a slow client anyhow', async () => {
    const shard = shardOfThree();
    const client = shard.client('everything');
    client.socket.shut();
    for (let i = 0; i < 3; i++) {
      shard.stage.publish('ticker', 'B');
      shard.flush();
    }
    const id = client.send('subscribe', { symbols: ['B', 'C'], snapshot: true });
    client.socket.open();
    await shard.settle();
    expect(client.reply(id)).toMatchObject({ snapshot: { topics: 2, missing: 0 } });
    expect(client.told()).toEqual(['B 4 <2', 'C 3 <0 snapshot', 'B 6 <4 +1']);
    expect(client.problems).toEqual([]);
  });

  it('resumes: exactly what was missed, unmarked, and then what is published', async () => {
    const shard = shardOfThree();
    for (const symbol of ['A', 'B', 'A']) shard.stage.tell('trade', symbol);
    const client = shard.client();
    const reply = client.ask('subscribe', { symbols: ['A'], resume: { epoch: EPOCH, seq: 1 } });
    expect(reply).toMatchObject({ seq: 6, resumed: true, replayed: 2 });
    expect(reply).not.toHaveProperty('snapshot');
    shard.stage.publish('trade', 'A');
    await shard.settle();
    expect(client.told()).toEqual(['A 4 <1', 'A 6 <4', 'A 7 <6']);
    expect(client.ask('getLedger')).toMatchObject({ published: 3, delivered: 3 });
    expect(['resumesAccepted', 'replayed'].map((name) => shard.statistics.get(name as 'replayed'))).toEqual([1, 2]);
    expect(client.problems).toEqual([]);
  });

  it('stays live where there is nothing to replay', () => {
    const shard = shardOfThree();
    const client = shard.client();
    expect(client.ask('subscribe', { resume: { epoch: EPOCH, seq: 3 } })).toMatchObject({ resumed: true, replayed: 0 });
    expect(client.connection.backlog).toBeUndefined();
  });

  it('begins with the values of merged topics where it cannot resume, and says why', async () => {
    const shard = shardOfThree();
    const client = shard.client();
    const reply = client.ask('subscribe', { resume: { epoch: 'another', seq: 1 } });
    expect(reply).toMatchObject({
      seq: 3,
      resumed: false,
      reason: 'UNKNOWN_EPOCH',
      snapshot: { topics: 2, missing: 0 },
    });
    await shard.settle();
    expect(client.told()).toEqual(['B 2 <0 snapshot', 'C 3 <0 snapshot']);
    expect(shard.statistics.get('resumesRefused')).toBe(1);
    expect(client.problems).toEqual([]);
  });

  it('begins with all values where it cannot resume and asks for them', async () => {
    const shard = shardOfThree();
    const client = shard.client();
    const reply = client.ask('subscribe', { snapshot: true, resume: { epoch: EPOCH, seq: 99 } });
    expect(reply).toMatchObject({ resumed: false, reason: 'SEQ_IN_FUTURE', snapshot: { topics: 3, missing: 0 } });
    await shard.settle();
    expect(client.told()).toHaveLength(3);
    expect(client.problems).toEqual([]);
  });

  it('gets everything that it wants from a replay, also what other filters of its connection bring meanwhile', async () => {
    const shard = new DeliveryShard({ ringBytes: 512 * 1024 });
    const client = shard.client();
    for (let i = 0; i < 200; i++) shard.stage.tell('trade', i % 2 === 0 ? 'A' : 'B', 'x'.repeat(500));
    client.ask('subscribe', { symbols: ['B', 'NEW'] });
    client.socket.shut();
    client.send('subscribe', { symbols: ['A'], resume: { epoch: EPOCH, seq: 0 } });
    expect(client.connection.backlog?.lane).toBe('replaying');
    for (const symbol of ['B', 'NEW', 'A', 'OTHER']) shard.stage.publish('trade', symbol);
    shard.flush();
    client.socket.open();
    await shard.settle();
    expect(client.told('A')).toHaveLength(101);
    expect([client.told('B'), client.told('NEW'), client.told('OTHER')]).toEqual([['B 201 <200'], ['NEW 202 <0'], []]);
    expect(client.ask('getLedger')).toMatchObject({ published: 103, delivered: 103 });
    expect(client.problems).toEqual([]);
  });
});

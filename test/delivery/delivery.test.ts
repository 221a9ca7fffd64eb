import { describe, expect, it, vi } from 'vitest';
import type { WebSocketProxy } from '../../src/connection/websocket-proxy.ts';
import { DeliveryShard } from '../support/delivery-shard.ts';

const EPOCH = 'epoch-1';

describe('Delivery', () => {
  it('keeps nothing of a connection that its own reply has closed', () => {
    // A reply is not written to one who reads nothing: it is closed instead, and the subscription began all the same, with a
    // backlog that nobody ever took away again.
    const shard = new DeliveryShard();
    const client = shard.client();
    const { connection } = client;
    shard.stage.tell('ticker', 'A');
    connection.proxy = {
      givesUpOn: () => {
        shard.close(connection, 'slowConsumer');
        return true;
      },
    } as unknown as WebSocketProxy;
    client.send('subscribe', { symbols: ['A'], snapshot: true });
    expect(shard.closes).toEqual(['slowConsumer']);
    expect(shard.delivery.behind.size).toBe(0);
    expect(connection.backlog).toBeUndefined();
  });

  it('lets a resumption wait also where reading on for it makes the connection fall behind', async () => {
    // A client that got further on another shard makes this one read on. What fills the batches then may be more than its
    // socket takes; a replay that was begun in front of what waited told newer publications of a topic before older ones.
    const shard = new DeliveryShard({ batchMessages: 5 });
    const { stage } = shard;
    const client = shard.client();
    client.ask('subscribe', { symbols: ['B'] });
    client.socket.shut();
    for (let i = 0; i < 12; i++) stage.publish('trade', i % 3 === 0 ? 'A' : 'B');
    const id = client.send('subscribe', { symbols: ['A'], resume: { epoch: EPOCH, seq: 9 } });
    expect(client.reply(id)).toBeUndefined();
    expect(client.connection.backlog?.lane).toBe('behind');
    for (let i = 0; i < 6; i++) stage.publish('trade', 'B');
    shard.flush();
    client.socket.open();
    await shard.settle();
    expect(client.reply(id)).toMatchObject({ resumed: true, replayed: 1 });
    expect(client.problems).toEqual([]);
    expect(client.told('A')).toEqual(['A 10 <7']);
    expect(client.told('B')).toHaveLength(14);
  });

  it('takes a connection whose socket holds too much off the fast path, and back when it has caught up', async () => {
    const shard = new DeliveryShard();
    const client = shard.client('everything');
    client.socket.shut();
    shard.stage.publish('trade', 'A');
    shard.flush();
    const { connection } = client;
    expect(connection.backlog?.lane).toBe('behind');
    expect(connection.cohort?.behind).toEqual([connection]);
    for (let i = 0; i < 3; i++) shard.stage.publish('trade', 'A');
    shard.flush();
    client.socket.open();
    await shard.settle();
    expect(connection.backlog).toBeUndefined();
    expect(connection.cohort?.members).toEqual([connection]);
    shard.stage.publish('trade', 'A');
    shard.flush();
    expect(client.told()).toEqual(['A 1 <0', 'A 2 <1', 'A 3 <2', 'A 4 <3', 'A 5 <4']);
    expect(['fellBehind', 'caughtUp'].map((name) => shard.statistics.get(name as 'fellBehind'))).toEqual([1, 1]);
    expect([connection.messagesSent, shard.statistics.get('messagesForwarded')]).toEqual([5, 5]);
    expect(client.problems).toEqual([]);
  });

  it('does not count one as fallen behind that has only asked for something', async () => {
    const shard = new DeliveryShard();
    const client = shard.client();
    shard.stage.tell('ticker', 'A');
    client.ask('subscribe', { symbols: ['A'], snapshot: true });
    await shard.settle();
    expect(client.told()).toEqual(['A 1 <0 snapshot']);
    expect(['fellBehind', 'caughtUp'].map((name) => shard.statistics.get(name as 'fellBehind'))).toEqual([0, 0]);
  });

  it('holds each frame once for all who are behind', () => {
    const shard = new DeliveryShard();
    const clients = [shard.client('everything'), shard.client('everything')];
    for (const { socket } of clients) socket.shut();
    for (let i = 0; i < 2; i++) {
      shard.stage.publish('trade', 'A');
      shard.flush();
    }
    const [one, other] = clients.map(({ connection }) => connection.backlog!.pending.cut().every[0]);
    expect(one).toBeDefined();
    expect(other).toBe(one);
  });

  describe('commands', () => {
    it('wait for a replay to end, and are then done in their order', async () => {
      const shard = new DeliveryShard({ ringBytes: 512 * 1024 });
      const client = shard.client();
      for (const symbol of ['V', 'W']) shard.stage.tell('ticker', symbol);
      for (let i = 0; i < 300; i++) shard.stage.tell('trade', 'A', 'x'.repeat(500));
      client.socket.shut();
      const ids = [
        client.send('subscribe', { symbols: ['A'], resume: { epoch: EPOCH, seq: 1 } }),
        client.send('subscribe', { symbols: ['V'], snapshot: true }),
        client.send('unsubscribe'),
        client.send('subscribe', { symbols: ['W'], resume: { epoch: EPOCH, seq: 1 } }),
      ];
      expect(client.connection.backlog?.lane).toBe('replaying');
      client.socket.open();
      await shard.settle();
      const replies = client.read().filter(({ id }) => id !== undefined);
      expect(replies.map(({ id }) => id)).toEqual(ids);
      expect(client.told('A')).toHaveLength(300);
      expect(['V', 'W'].map((symbol) => client.told(symbol))).toEqual([['V 1 <0 snapshot'], ['W 2 <0']]);
      expect(client.problems).toEqual([]);
    });

    it('are answered at once where they change no filters', () => {
      const shard = new DeliveryShard({ ringBytes: 512 * 1024 });
      const client = shard.client();
      for (let i = 0; i < 300; i++) shard.stage.tell('trade', 'A', 'x'.repeat(500));
      client.socket.shut();
      client.send('subscribe', { resume: { epoch: EPOCH, seq: 0 } });
      const id = client.send('getLedger');
      client.socket.passOne();
      client.socket.passOne();
      client.socket.passOne();
      expect(client.reply(id)).toMatchObject({ state: 'replaying', published: 300 });
    });

    it('that wait in too great a number end the connection', () => {
      const shard = new DeliveryShard({ ringBytes: 512 * 1024 });
      const client = shard.client();
      for (let i = 0; i < 300; i++) shard.stage.tell('trade', 'A', 'x'.repeat(500));
      client.socket.shut();
      client.send('subscribe', { resume: { epoch: EPOCH, seq: 0 } });
      for (let i = 0; i < 2_000 && shard.closes.length === 0; i++) client.send('unsubscribe');
      expect(shard.closes).toEqual(['slowConsumer']);
      expect(shard.delivery.behind.size).toBe(0);
    });
  });

  describe('sweep', () => {
    it('closes who has been behind for too long, and tells how things stand', () => {
      const now = vi.spyOn(performance, 'now');
      now.mockImplementation(() => 1_000);
      const shard = new DeliveryShard({ config: { slow: { maxLagMs: 5_000 } } });
      const [one, other] = [shard.client('everything'), shard.client('everything')];
      one.socket.shut();
      for (let i = 0; i < 2; i++) {
        shard.stage.publish('trade', 'A');
        shard.flush();
      }
      now.mockImplementation(() => 3_000);
      other.socket.shut();
      for (let i = 0; i < 2; i++) {
        shard.stage.publish('trade', 'A');
        shard.flush();
      }
      now.mockImplementation(() => 6_000);
      shard.delivery.sweep();
      const gauges = () =>
        (['connectionsBehind', 'lagMsMax', 'pendingMessages'] as const).map((name) => shard.statistics.get(name));
      expect(gauges()).toEqual([2, 5_000, 4]);
      now.mockImplementation(() => 6_001);
      shard.delivery.sweep();
      expect(shard.closes).toEqual(['slowConsumer']);
      expect([one, other].map(({ connection }) => connection.state)).toEqual(['closing', 'open']);
      expect(gauges()).toEqual([1, 3_001, 1]);
      now.mockRestore();
    });
  });

  describe('under memory pressure', () => {
    it('lets less wait for each connection, now and until it is over', () => {
      const shard = new DeliveryShard({ config: { limits: { pendingMessages: 16 } } });
      const client = shard.client('everything');
      client.socket.shut();
      const publish = (count: number) => {
        for (let i = 0; i < count; i++) shard.stage.publish('trade', 'A');
        shard.flush();
      };
      publish(1);
      publish(10);
      const { pending } = client.connection.backlog!;
      expect(pending.messages).toBe(10);
      shard.delivery.conflateHarder(true);
      expect(pending.messages).toBe(2);
      publish(5);
      expect(pending.messages).toBe(2);
      shard.delivery.conflateHarder(false);
      publish(20);
      expect(pending.messages).toBe(16);
      const gaps = pending.cut().gaps.map(({ count, reason }) => [count, reason]);
      expect(gaps).toEqual([
        [13, 'memory_pressure'],
        [6, 'slow_consumer'],
      ]);
    });

    it('closes the slowest tenth of those behind, at least one', () => {
      const now = vi.spyOn(performance, 'now');
      const shard = new DeliveryShard();
      expect(shard.delivery.closeSlowest()).toBe(0);
      const clients = Array.from({ length: 12 }, () => shard.client('everything'));
      for (const [i, { socket, connection }] of clients.entries()) {
        now.mockImplementation(() => 1_000 - i);
        socket.shut();
        socket.write('full');
        shard.delivery.fallBehind(connection);
      }
      for (const [i, { connection }] of clients.entries()) {
        now.mockImplementation(() => 1_000 - i);
        shard.stage.publish('trade', 'A');
        shard.stage.read((record) => shard.delivery.note([connection], record));
      }
      now.mockImplementation(() => 2_000);
      expect(shard.delivery.closeSlowest()).toBe(2);
      const closed = clients.flatMap(({ connection }, i) => (connection.state === 'closing' ? [i] : []));
      expect(closed).toEqual([10, 11]);
      now.mockRestore();
    });
  });
});

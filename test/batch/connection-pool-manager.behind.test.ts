import { afterEach, describe, expect, it, vi } from 'vitest';
import { FixedPolicy } from '../../src/batch/flush-policy.ts';
import { textFrame } from '../../src/frame/frame-header.ts';
import { textsOf } from '../support/received-frames.ts';
import { TestPool, textsAt } from '../support/test-pool.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a connection that is behind', () => {
  const LONG = 'some text of more than ten bytes';

  it('is noted for what it wants, and not written to', () => {
    const test = new TestPool({ highWaterBytes: 10 });
    const [slow, fast] = [test.client({ symbols: ['A', 'B'] }), test.client({ symbols: ['A', 'B'] })];
    slow.socket.shut();
    test.publish('A', LONG);
    test.flushAll();
    const { writableLength } = slow.socket;
    for (const text of ['more', 'and more']) test.publish('B', text);
    test.publish('C', 'not wanted');
    test.flushAll();
    expect([test.fellBehind, slow.socket.writableLength]).toEqual([[slow.connection.id], writableLength]);
    expect(test.noted.get(slow.connection)).toEqual(['more', 'and more']);
    expect(textsAt(fast)).toEqual([LONG, 'more', 'and more']);
    expect([slow.connection.messagesSent, fast.connection.messagesSent]).toEqual([1, 3]);
    expect(test.statistics.get('messagesForwarded')).toBe(4);
  });

  it('is noted where it is alone in its cohort, which then gathers nothing', () => {
    const test = new TestPool({ highWaterBytes: 10 });
    const { connection, socket } = test.client('firehose');
    socket.shut();
    test.publish('A', LONG);
    test.flushAll();
    const taking = vi.spyOn(Buffer, 'allocUnsafeSlow');
    test.publish('A', 'more');
    expect([test.noted.get(connection), test.pool.dueInMs(0)]).toEqual([['more'], undefined]);
    expect(taking).not.toHaveBeenCalled();
    expect(connection.cohort).toMatchObject({ members: [], behind: [connection] });
  });

  it('is noted before the record may make others fall behind as well, each for what it has not been written', () => {
    const test = new TestPool({ highWaterBytes: 10, policy: new FixedPolicy(1, 1_000) });
    const [first, second] = [test.client('firehose'), test.client('firehose')];
    first.socket.shut();
    test.publish('A', LONG);
    second.socket.shut();
    test.publish('A', `2 ${LONG}`);
    test.publish('A', `3 ${LONG}`);
    expect(test.fellBehind).toEqual([first.connection.id, second.connection.id]);
    expect(test.noted.get(first.connection)).toEqual([`2 ${LONG}`, `3 ${LONG}`]);
    expect(test.noted.get(second.connection)).toEqual([`3 ${LONG}`]);
    for (const { socket } of [first, second]) socket.open();
    expect([textsAt(first), textsAt(second)]).toEqual([[LONG], [LONG, `2 ${LONG}`]]);
  });

  it('goes with its filters from cohort to cohort, and is noted for what it wants then', () => {
    const test = new TestPool({ highWaterBytes: 10 });
    const slow = test.client({ symbols: 'A' });
    const others = [test.client({ symbols: 'A' }), test.client({ symbols: 'B' })];
    slow.socket.shut();
    test.publish('A', LONG);
    test.flushAll();
    test.subscriptions.removeAllFilters(slow.connection);
    test.publish('A', 'between');
    test.subscribe(slow.connection, { symbols: 'B' });
    expect(slow.connection.cohort).toBe(others[1]!.connection.cohort);
    test.publish('A', 'old');
    test.publish('B', 'new');
    test.flushAll();
    expect(test.noted.get(slow.connection)).toEqual(['new']);
    test.disconnect(slow.connection);
    test.publish('B', 'last');
    expect(test.noted.get(slow.connection)).toEqual(['new']);
    expect(test.subscriptions.cohortCount).toBe(2);
  });

  it('falls behind by what it is given on leaving, and is then in its new cohort', () => {
    const test = new TestPool({ highWaterBytes: 100 });
    const [leaver, stayer] = [test.client({ symbols: 'A' }), test.client({ symbols: 'A' })];
    leaver.socket.shut();
    test.publish('A', 'x'.repeat(200));
    test.subscribe(leaver.connection, { symbols: 'B' });
    expect(test.fellBehind).toEqual([leaver.connection.id]);
    expect(leaver.connection.cohort).toMatchObject({ members: [], behind: [leaver.connection] });
    expect(stayer.connection.cohort).toMatchObject({ members: [stayer.connection], behind: [] });
    test.publish('B', 'noted');
    test.flushAll();
    expect(test.noted.get(leaver.connection)).toEqual(['noted']);
    leaver.socket.open();
    expect([textsAt(leaver).length, textsAt(stayer).length]).toEqual([1, 1]);
  });

  it('gets, when it rejoins while a batch is gathered, only what comes after that', () => {
    const test = new TestPool({ highWaterBytes: 10 });
    const [slow, fast] = [test.client('firehose'), test.client('firehose')];
    slow.socket.shut();
    test.publish('A', LONG);
    test.flushAll();
    test.publish('A', 'noted');
    slow.socket.open();
    test.rejoin(slow.connection);
    test.publish('A', 'after');
    test.flushAll();
    expect(textsAt(slow)).toEqual([LONG, 'after']);
    expect(textsAt(fast)).toEqual([LONG, 'noted', 'after']);
  });
});

describe('ConnectionPoolManager.settle', () => {
  it('writes out what has been gathered for one connection, once, and leaves it where it is', () => {
    const test = new TestPool();
    const [settled, other] = [test.client('firehose'), test.client('firehose')];
    test.publish('A', 'one');
    test.publish('A', 'two');
    test.pool.settle(settled.connection);
    expect([textsAt(settled), textsAt(other)]).toEqual([['one', 'two'], []]);
    test.pool.settle(settled.connection);
    test.publish('A', 'three');
    test.flushAll();
    for (const client of [settled, other]) expect(textsAt(client)).toEqual(['one', 'two', 'three']);
    expect([settled.socket.pieces.length, test.statistics.get('messagesForwarded')]).toEqual([2, 6]);
  });

  it('writes nothing where nothing was gathered since the connection joined, or there is no cohort', () => {
    const test = new TestPool();
    const [early, idle] = [test.client('firehose'), test.client()];
    test.publish('A', 'before');
    const late = test.client('firehose');
    for (const { connection } of [late, idle]) test.pool.settle(connection);
    expect([late.socket.pieces, idle.socket.pieces]).toEqual([[], []]);
    test.flushAll();
    expect([textsAt(early), textsAt(late)]).toEqual([['before'], []]);
  });

  it('may make the connection fall behind; the rest of the batch is then noted, and not written to it', () => {
    const test = new TestPool({ highWaterBytes: 10 });
    const [slow, fast] = [test.client('firehose'), test.client('firehose')];
    slow.socket.shut();
    test.publish('A', 'gathered, more than ten bytes');
    test.pool.settle(slow.connection);
    test.publish('A', 'noted');
    test.pool.settle(slow.connection);
    test.flushAll();
    expect([test.fellBehind, test.noted.get(slow.connection)]).toEqual([[slow.connection.id], ['noted']]);
    slow.socket.open();
    expect([textsAt(slow), textsAt(fast)]).toEqual([
      ['gathered, more than ten bytes'],
      ['gathered, more than ten bytes', 'noted'],
    ]);
  });

  it('leaves the bytes alone that a stalled socket was given, though the batch goes on', () => {
    const test = new TestPool();
    const [stalled, other] = [test.client('firehose'), test.client('firehose')];
    stalled.socket.shut();
    test.publish('A', 'gathered');
    test.pool.settle(stalled.connection);
    for (let i = 0; i < 100; i++) {
      test.publish('A', `${i}`.padEnd(997));
      if (i % 10 === 9) test.flushAll();
    }
    stalled.socket.open();
    expect(textsAt(stalled)).toEqual(textsAt(other));
  });
});

describe('a message that is no publication', () => {
  it('reaches those of a cohort that keep up, in its place, and is no delivery', () => {
    const test = new TestPool({ highWaterBytes: 10 });
    const [slow, fast, other] = [test.client('firehose'), test.client('firehose'), test.client({ symbols: 'A' })];
    slow.socket.shut();
    test.publish('A', 'some text of more than ten bytes');
    test.flushAll();
    const { bytesForwarded, messagesForwarded, deliveries } = figures(test);
    test.publish('A', 'before');
    test.pool.appendMessage(fast.connection.cohort!, textFrame('a gap'));
    test.publish('A', 'after');
    test.flushAll();
    expect(textsAt(fast).slice(1)).toEqual(['before', 'a gap', 'after']);
    expect(textsAt(other).slice(1)).toEqual(['before', 'after']);
    expect(test.noted.get(slow.connection)).toEqual(['before', 'after']);
    expect(fast.connection.messagesSent).toBe(3);
    expect(fast.connection.bytesSent).toBe(fast.socket.received.length);
    const bytes = textFrame('before').length + textFrame('after').length;
    expect(figures(test)).toEqual({
      messagesForwarded: messagesForwarded + 4,
      bytesForwarded: bytesForwarded + 2 * bytes,
      deliveries: deliveries + 4,
    });
  });

  it('opens a batch, which is written when it is due', () => {
    const test = new TestPool({ policy: new FixedPolicy(1_000, 100) });
    const { connection, socket } = test.client('firehose');
    test.pool.appendMessage(connection.cohort!, textFrame('a gap'));
    const dueAtMs = test.pool.dueInMs(0)!;
    test.pool.flush(dueAtMs - 1);
    expect(socket.pieces).toEqual([]);
    test.pool.flush(dueAtMs);
    expect(textsOf(socket.received)).toEqual(['a gap']);
    expect(figures(test)).toEqual({ messagesForwarded: 0, bytesForwarded: 0, deliveries: 0 });
    expect(connection.messagesSent).toBe(0);
  });

  it('is not for one who joined after it, nor for a cohort of which nobody keeps up', () => {
    const test = new TestPool({ highWaterBytes: 10 });
    const early = test.client('firehose');
    test.pool.appendMessage(early.connection.cohort!, textFrame('a gap'));
    const late = test.client('firehose');
    test.publish('A', 'some text of more than ten bytes');
    early.socket.shut();
    late.socket.shut();
    test.flushAll();
    test.pool.appendMessage(early.connection.cohort!, textFrame('for nobody'));
    expect(test.pool.dueInMs(0)).toBeUndefined();
    for (const { socket } of [early, late]) socket.open();
    expect([textsAt(early).length, textsAt(late).length]).toEqual([2, 1]);
    expect([early.connection.messagesSent, late.connection.messagesSent]).toEqual([1, 1]);
  });
});

function figures(test: TestPool) {
  const { statistics } = test;
  return {
    messagesForwarded: statistics.get('messagesForwarded'),
    bytesForwarded: statistics.get('bytesForwarded'),
    deliveries: test.deliveries().count,
  };
}

const EVERY_PLACE = [[[0]], [[4]], [[2]], [[0, 1]], [[3, 4]], [[0, 2, 4]], [[0, 1, 2, 3, 4]]];

describe('a connection that falls behind while its cohort is written out', () => {
  it.each(EVERY_PLACE)('costs the others nothing and doubles nothing, whatever their places: %j of five', (places) => {
    const test = new TestPool({ highWaterBytes: 10 });
    const clients = Array.from({ length: 5 }, () => test.client('firehose'));
    for (const place of places) clients[place]!.socket.shut();
    test.publish('A', 'some text of more than ten bytes');
    test.flushAll();
    expect(test.fellBehind.toSorted()).toEqual(places.map((place) => clients[place]!.connection.id));
    test.publish('A', 'more');
    test.flushAll();
    for (const { socket } of clients) socket.open();
    for (const [place, client] of clients.entries()) {
      const noted = test.noted.get(client.connection) ?? [];
      expect(noted).toEqual(places.includes(place) ? ['more'] : []);
      expect([...textsAt(client), ...noted]).toEqual(['some text of more than ten bytes', 'more']);
    }
  });

  it('costs later frames of the same pass nothing for other cohorts', () => {
    const test = new TestPool({ highWaterBytes: 10, policy: new FixedPolicy(1, 1_000) });
    const slow = test.client({ symbols: 'A' });
    const others = [test.client({ dataTypes: 'trade' }), test.client({ exchange: 'binance' })];
    slow.socket.shut();
    test.publish('A', 'some text of more than ten bytes');
    test.publish('A', 'more');
    for (const other of others) expect(textsAt(other)).toEqual(['some text of more than ten bytes', 'more']);
    expect(test.noted.get(slow.connection)).toEqual(['more']);
  });
});

describe('a connection that is closed while its cohort is written out', () => {
  it.each(EVERY_PLACE)('costs the others nothing and doubles nothing, whatever their places: %j of five', (places) => {
    const closed: string[] = [];
    const test = new TestPool({
      highWaterBytes: 10,
      fellBehind: (connection) => {
        closed.push(connection.id);
        test.disconnect(connection);
      },
    });
    const clients = Array.from({ length: 5 }, () => test.client('firehose'));
    for (const place of places) clients[place]!.socket.shut();
    test.publish('A', 'some text of more than ten bytes');
    test.flushAll();
    expect(closed.toSorted()).toEqual(places.map((place) => clients[place]!.connection.id));
    for (const { socket } of clients) socket.open();
    for (const client of clients) expect(textsAt(client)).toEqual(['some text of more than ten bytes']);
    test.publish('A', 'more');
    test.flushAll();
    for (const [place, client] of clients.entries()) {
      expect(textsAt(client)).toHaveLength(places.includes(place) ? 1 : 2);
    }
  });

  it('is not moved to another cohort when that happens on leaving', () => {
    const test = new TestPool({ highWaterBytes: 100, fellBehind: (connection) => test.disconnect(connection) });
    const [leaver, stayer] = [test.client({ symbols: 'A' }), test.client({ symbols: 'A' })];
    leaver.socket.shut();
    test.publish('A', 'x'.repeat(200));
    test.subscribe(leaver.connection, { symbols: 'B' });
    const { cohortCount, filtersInForce } = test.subscriptions;
    expect([leaver.connection.cohort, cohortCount, filtersInForce]).toEqual([undefined, 1, 1]);
    test.publish('B', 'for nobody');
    test.flushAll();
    expect(textsAt(stayer)).toHaveLength(1);
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { FixedPolicy } from '../../src/batch/flush-policy.ts';
import { textFrame } from '../../src/frame/frame-header.ts';
import { LATENCY_US_MAX } from '../../src/telemetry/histogram.ts';
import { dataTypeSlot } from '../../src/telemetry/statistics-block.ts';
import { nowUs } from '../../src/util/clock.ts';
import { textsOf } from '../support/received-frames.ts';
import { TestPool, textsAt } from '../support/test-pool.ts';

const KIB = 1024;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('ConnectionPoolManager', () => {
  it('writes once to each connection and pass, whatever the number of frames', () => {
    const test = new TestPool();
    const clients = [test.client('firehose'), test.client('firehose'), test.client({ symbols: 'A' })];
    const texts = Array.from({ length: 500 }, (_, i) => `frame ${i}`);
    for (const text of texts) test.publish('A', text);
    for (const { socket } of clients) expect(socket.pieces).toHaveLength(0);
    test.flushAll();
    for (const client of clients) {
      expect(client.socket.pieces).toHaveLength(1);
      expect(textsAt(client)).toEqual(texts);
    }
  });

  it('copies a frame once for a cohort of any size', () => {
    const test = new TestPool();
    for (let i = 0; i < 50; i++) test.client('firehose');
    const copies = vi.spyOn(Buffer.prototype, 'copy');
    test.publish('A', 'text');
    expect(copies).toHaveBeenCalledTimes(1);
  });

  it('writes nothing where nothing was gathered', () => {
    const test = new TestPool();
    const { socket } = test.client({ symbols: 'A' });
    test.publish('B', 'for nobody');
    test.flushAll();
    test.publish('A', 'for one');
    test.flushAll();
    test.flushAll();
    expect(textsOf(socket.received)).toEqual(['for one']);
    expect([test.statistics.get('flushes'), test.pool.dueInMs(0)]).toEqual([1, undefined]);
  });

  it('uses the same memory for one batch after the other', () => {
    const test = new TestPool();
    const client = test.client('firehose');
    const allocations = vi.spyOn(Buffer, 'allocUnsafeSlow');
    for (let i = 0; i < 50; i++) {
      test.publish('A', `${i}`);
      test.flushAll();
    }
    expect(allocations).toHaveBeenCalledTimes(1);
    expect(textsAt(client)).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`));
  });

  it.each([
    ['at batch bytes', { batchBytesMax: 4 * KIB }],
    ['at the number of messages', { policy: new FixedPolicy(10, 1_000) }],
  ])('writes a batch out that is full %s', (_name, parts) => {
    const test = new TestPool(parts);
    const client = test.client('firehose');
    for (let i = 0; i < 9; i++) test.publish('A', `${i}`.padEnd(400));
    expect(client.socket.pieces).toHaveLength(0);
    for (let i = 9; i < 11; i++) test.publish('A', `${i}`.padEnd(400));
    expect(client.socket.pieces).toHaveLength(1);
    test.flushAll();
    expect(textsAt(client).map(Number)).toEqual(Array.from({ length: 11 }, (_, i) => i));
  });

  // What a lap told, gaps and full books of all topics, was gathered without a limit, once for each cohort.
  it('writes a batch out that is full of messages that are no publications', () => {
    const test = new TestPool({ batchBytesMax: 4 * KIB });
    const client = test.client('firehose');
    for (let i = 0; i < 11; i++) test.pool.appendMessage(client.connection.cohort!, textFrame(`${i}`.padEnd(400)));
    expect(client.socket.pieces).toHaveLength(1);
    test.flushAll();
    expect(textsAt(client).map(Number)).toEqual(Array.from({ length: 11 }, (_, i) => i));
  });

  it.each([5 * KIB, 300 * KIB, 1024 * KIB, 3 * 1024 * KIB])(
    'delivers a frame of %i bytes, larger than a batch may be',
    (bytes) => {
      const test = new TestPool({ batchBytesMax: 4 * KIB });
      const client = test.client('firehose');
      const large = 'x'.repeat(bytes);
      test.publish('A', 'before');
      test.publish('A', large);
      test.publish('A', 'after');
      test.flushAll();
      expect(textsAt(client).map((text) => text.length)).toEqual([6, bytes, 5]);
      expect(textsAt(client)[1] === large).toBe(true);
    },
  );
});

describe('the age of a batch', () => {
  it('is counted from its first frame; the oldest batch tells when the next flush is due', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const test = new TestPool({ policy: new FixedPolicy(1_000, 100) });
    const [a, b] = [test.client({ symbols: 'A' }), test.client({ symbols: 'B' })];
    const startMs = performance.now();
    test.publish('A', 'a1');
    vi.advanceTimersByTime(40);
    test.publish('B', 'b1');
    test.publish('A', 'a2');
    expect(test.pool.dueInMs(startMs)).toBe(100);
    test.pool.flush(startMs + 99);
    expect([textsAt(a), textsAt(b)]).toEqual([[], []]);
    test.pool.flush(startMs + 100);
    expect([textsAt(a), textsAt(b)]).toEqual([['a1', 'a2'], []]);
    expect(test.pool.dueInMs(startMs + 100)).toBe(40);
    test.pool.flush(startMs + 140);
    expect(textsAt(b)).toEqual(['b1']);
  });
});

describe('joining and leaving while a batch is gathered', () => {
  it('gives a joiner only what comes after it', () => {
    const test = new TestPool();
    const early = test.client('firehose');
    test.publish('A', 'before');
    const late = test.client('firehose');
    test.publish('A', 'after');
    const idle = test.client('firehose');
    test.flushAll();
    expect([textsAt(early), textsAt(late), textsAt(idle)]).toEqual([['before', 'after'], ['after'], []]);
    expect([late.connection.messagesSent, idle.connection.messagesSent]).toEqual([1, 0]);
  });

  it('gives a leaver what was gathered before, once, and nothing twice when the new filter matches the same', () => {
    const test = new TestPool();
    const [mover, stayer] = [test.client({ symbols: 'A' }), test.client({ symbols: 'A' })];
    const inBoth = test.client({ dataTypes: 'trade' });
    test.publish('A', 'first');
    test.subscriptions.removeAllFilters(mover.connection);
    test.subscribe(mover.connection, { dataTypes: 'trade' });
    test.publish('A', 'second');
    test.flushAll();
    for (const client of [mover, stayer, inBoth]) expect(textsAt(client)).toEqual(['first', 'second']);
  });

  it('gives a connection that widens its filter each record once', () => {
    const test = new TestPool();
    const client = test.client({ symbols: 'A' });
    test.publish('A', 'a1');
    test.publish('B', 'b1');
    test.subscribe(client.connection, { symbols: 'B' });
    test.publish('A', 'a2');
    test.publish('B', 'b2');
    test.flushAll();
    expect(textsAt(client)).toEqual(['a1', 'a2', 'b2']);
  });

  it('gives a connection that is alone in what it wants all of it once, however often it changes its mind', () => {
    const test = new TestPool();
    const client = test.client({ symbols: 'A' });
    for (let i = 0; i < 10; i++) {
      test.publish('A', `a${i}`);
      const filterId = test.subscribe(client.connection, { symbols: ['A', `S${i}`] });
      test.publish(`S${i}`, `s${i}`);
      if (i % 2 === 0) test.subscriptions.removeFilter(client.connection, filterId);
    }
    test.flushAll();
    expect(textsAt(client)).toEqual(Array.from({ length: 10 }, (_, i) => [`a${i}`, `s${i}`]).flat());
    expect(client.socket.pieces).toHaveLength(1);
  });

  it('gives a connection that leaves a cohort and comes back within a batch no frame twice, and none of the time between', () => {
    const test = new TestPool();
    const [mover, stayer] = [test.client({ symbols: 'A' }), test.client({ symbols: 'A' })];
    for (let round = 0; round < 3; round++) {
      test.publish('A', `in ${round}`);
      test.subscriptions.removeAllFilters(mover.connection);
      test.publish('A', `out ${round}`);
      test.subscribe(mover.connection, { symbols: 'a' });
    }
    expect(mover.connection.cohort).toBe(stayer.connection.cohort);
    test.publish('A', 'last');
    test.flushAll();
    expect(textsAt(mover)).toEqual(['in 0', 'in 1', 'in 2', 'last']);
    expect(textsAt(stayer)).toEqual(['in 0', 'out 0', 'in 1', 'out 1', 'in 2', 'out 2', 'last']);
  });

  it('gives the last member to leave what was gathered, and its successor in a cohort of that name nothing of it', () => {
    const test = new TestPool();
    const first = test.client({ symbols: 'A' });
    test.publish('A', 'old');
    test.subscriptions.removeAllFilters(first.connection);
    const second = test.client({ symbols: 'A' });
    test.publish('A', 'new');
    test.flushAll();
    expect([textsAt(first), textsAt(second)]).toEqual([['old'], ['new']]);
  });

  it('gives nothing more to a connection that has disconnected', () => {
    const test = new TestPool();
    const [gone, stayer] = [test.client('firehose'), test.client('firehose')];
    test.publish('A', 'text');
    test.disconnect(gone.connection);
    test.flushAll();
    expect([textsAt(gone), textsAt(stayer)]).toEqual([[], ['text']]);
    expect(test.statistics.get('messagesForwarded')).toBe(1);
  });
});

describe('a socket that does not take bytes', () => {
  it('finds in its buffers, when it does, exactly what was written to it', () => {
    const test = new TestPool();
    const [stalled, free] = [test.client('firehose'), test.client('firehose')];
    const texts = Array.from({ length: 200 }, (_, i) => `${i}:${'x'.repeat(i * 37)}`);
    stalled.socket.shut();
    for (const text of texts) {
      test.publish('A', text);
      test.flushAll();
    }
    expect(textsAt(stalled)).toEqual([]);
    stalled.socket.open();
    expect(textsAt(stalled)).toEqual(texts);
    expect(textsAt(free)).toEqual(texts);
  });

  it('finds unchanged what it was given when it left a cohort whose batch went on', () => {
    const test = new TestPool();
    const [leaver, stayer] = [test.client({ symbols: 'A' }), test.client({ symbols: 'A' })];
    leaver.socket.shut();
    test.publish('A', 'gathered');
    test.subscriptions.removeAllFilters(leaver.connection);
    for (let i = 0; i < 100; i++) {
      test.publish('A', `${i}`.padEnd(997));
      if (i % 10 === 9) test.flushAll();
    }
    leaver.socket.open();
    expect(textsAt(leaver)).toEqual(['gathered']);
    expect(textsAt(stayer)).toHaveLength(101);
  });

  it('is behind when it holds more bytes than it may after a write, and not before', () => {
    const test = new TestPool({ highWaterBytes: 3_000 });
    const { connection, socket } = test.client('firehose');
    socket.shut();
    for (let i = 0; i < 3; i++) {
      test.publish('A', 'x'.repeat(996));
      test.flushAll();
    }
    expect([socket.writableLength, test.fellBehind]).toEqual([3_000, []]);
    test.publish('A', '');
    test.flushAll();
    expect(test.fellBehind).toEqual([connection.id]);
  });

  it('is never behind as long as it takes what it is given, however much that is', () => {
    const test = new TestPool({ highWaterBytes: 10 });
    test.client('firehose');
    for (let i = 0; i < 50; i++) {
      test.publish('A', 'x'.repeat(1_000));
      test.flushAll();
    }
    expect(test.fellBehind).toEqual([]);
  });
});

describe('what the statistics say of deliveries', () => {
  it('counts each delivery, its bytes and its type, alike in every place', () => {
    const test = new TestPool();
    const [trade, depth] = [dataTypeSlot('trade'), dataTypeSlot('depth')];
    const clients = [test.client('firehose'), test.client({ symbols: 'A' })];
    test.publish('A', 'a trade', { slot: trade });
    test.publish('A', 'a book', { slot: depth });
    clients.push(test.client({ symbols: 'A' }));
    test.publish('A', 'a trade of size', { slot: trade });
    test.subscribe(clients[1]!.connection, { symbols: 'B' });
    test.publish('B', 'another', { slot: trade });
    test.flushAll();
    const received = clients.map((client) => textsAt(client).length);
    expect(received).toEqual([4, 4, 1]);
    const bytes = clients.reduce((sum, { socket }) => sum + socket.received.length, 0);
    expect(test.statistics.get('messagesForwarded')).toBe(9);
    expect(test.statistics.deliveries(trade).count).toBe(7);
    expect(test.statistics.deliveries(depth).count).toBe(2);
    expect(test.deliveries()).toEqual({ count: 9, bytes });
    expect(test.statistics.get('bytesForwarded')).toBe(bytes);
    expect(test.statistics.get('socketWrites')).toBe(
      clients.reduce((sum, { socket }) => sum + socket.pieces.length, 0),
    );
    for (const { connection, socket } of clients) {
      expect(connection.bytesSent).toBe(socket.received.length);
      expect(connection.messagesSent).toBe(textsOf(socket.received).length);
    }
  });

  it('measures latency from when a publication was due', () => {
    const test = new TestPool();
    test.client('firehose');
    test.client('firehose');
    test.publish('A', 'late', { dueUs: nowUs() - 3_000_000 });
    test.flushAll();
    const { count, latencySumUs } = test.statistics.deliveries(0);
    expect(count).toBe(2);
    expect(latencySumUs / count).toBeGreaterThanOrEqual(3_000_000);
    expect(latencySumUs / count).toBeLessThan(60_000_000);
  });

  it('counts a due time ahead of the clock as no latency', () => {
    const test = new TestPool();
    test.client('firehose');
    test.publish('A', 'early', { dueUs: nowUs() + LATENCY_US_MAX });
    test.flushAll();
    expect(test.statistics.deliveries(0)).toMatchObject({ count: 1, latencySumUs: 0 });
  });
});

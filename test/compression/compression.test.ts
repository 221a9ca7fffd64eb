import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Compression } from '../../src/compression/compression.ts';
import { SyncDeflate } from '../../src/compression/sync-deflate.ts';
import { createConfig } from '../../src/config/load-config.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { collectingLogger } from '../support/collected-lines.ts';
import { CompressingPool } from '../support/compressing-pool.ts';
import { inflateFrames } from '../support/inflated-frames.ts';
import type { PoolClient } from '../support/test-pool.ts';

/** Large enough to be compressed. */
const textOf = (n: number) => `{"n":${n},"text":"${'some text that is always the same '.repeat(3)}"}`;

/** Publishes and writes out one frame for each number. */
function send(pool: CompressingPool, ...numbers: number[]): void {
  for (const n of numbers) {
    pool.publish('A', textOf(n));
    pool.flushAll();
  }
}

/** For each frame that the client has got: the number in it, negative where it came plain. */
async function gotBy({ socket, connection }: PoolClient): Promise<number[]> {
  const frames = await inflateFrames(socket.received, connection.windowBits);
  return frames.map(({ text, isCompressed }) => (isCompressed ? 1 : -1) * (JSON.parse(text) as { n: number }).n);
}

describe('a compressed stream', () => {
  it('begins at once where nobody follows it yet', async () => {
    const pool = new CompressingPool();
    const client = pool.client('firehose', 15);
    send(pool, 1, 2);
    expect(await gotBy(client)).toEqual([1, 2]);
  });

  it('lets a newcomer in no sooner than resetMs after the last reset, and resets for nobody else', async () => {
    const pool = new CompressingPool({ resetMs: 100 });
    const first = pool.client('firehose', 15);
    send(pool, 1);
    const second = pool.client('firehose', 15);
    pool.nowMs = 99;
    send(pool, 2);
    pool.nowMs = 100;
    send(pool, 3);
    pool.nowMs = 1_000;
    send(pool, 4);
    expect([await gotBy(first), await gotBy(second)]).toEqual([
      [1, 2, 3, 4],
      [-2, 3, 4],
    ]);
    expect(pool.statistics.get('compressionResets')).toBe(2);
  });

  it('is compressed once, however many follow it', () => {
    const pool = new CompressingPool();
    for (let i = 0; i < 50; i++) pool.client('firehose', 15);
    send(pool, 1, 2, 3);
    expect(pool.statistics.get('framesCompressed')).toBe(3);
  });

  it('is one for each size of window, and leaves those without one plain', async () => {
    const pool = new CompressingPool();
    const clients = [9, 15, 0].map((windowBits) => pool.client('firehose', windowBits));
    send(pool, 1);
    expect(await Promise.all(clients.map(gotBy))).toEqual([[1], [1], [-1]]);
    pool.compression.sweep(0);
    expect(pool.statistics.get('compressionStreams')).toBe(2);
    expect(pool.statistics.get('connectionsCompressed')).toBe(2);
  });

  it('goes on for a member that was served apart from the others', async () => {
    const pool = new CompressingPool({ resetMs: 100 });
    const [one, other] = [pool.client('firehose', 15), pool.client('firehose', 15)];
    send(pool, 1);
    pool.publish('A', textOf(2));
    pool.pool.settle(one.connection);
    pool.flushAll();
    send(pool, 3);
    expect([await gotBy(one), await gotBy(other)]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it('lets in those who have had different parts of a batch behind its end, and leaves the rest of it to them plain', async () => {
    const pool = new CompressingPool({ resetMs: 100 });
    const [one, other] = [pool.client('firehose', 15), pool.client('firehose', 15)];
    send(pool, 1);
    pool.publish('A', textOf(2));
    pool.pool.settle(one.connection);
    const late = pool.client('firehose', 15);
    pool.publish('A', textOf(3));
    pool.nowMs = 100;
    pool.flushAll();
    send(pool, 4);
    expect([await gotBy(one), await gotBy(other), await gotBy(late)]).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
      [-3, 4],
    ]);
  });
});

describe('frames go out plain', () => {
  it('where a cohort has fewer members than minMembers that can inflate', async () => {
    const pool = new CompressingPool({ minMembers: 3 });
    const clients = [15, 15, 0].map((windowBits) => pool.client('firehose', windowBits));
    send(pool, 1);
    expect(await Promise.all(clients.map(gotBy))).toEqual([[-1], [-1], [-1]]);
    expect(pool.statistics.get('compressionSkippedSmall')).toBe(1);
    clients.push(pool.client('firehose', 15));
    send(pool, 2);
    expect(await Promise.all(clients.map(gotBy))).toEqual([[-1, 2], [-1, 2], [-1, -2], [2]]);
  });

  it('where enough can inflate, but too few with one window', async () => {
    const pool = new CompressingPool({ minMembers: 2 });
    const clients = [15, 12].map((windowBits) => pool.client('firehose', windowBits));
    send(pool, 1);
    expect(await Promise.all(clients.map(gotBy))).toEqual([[-1], [-1]]);
    expect(pool.statistics.get('compressionSkippedNoStream')).toBe(1);
  });

  it('where their payload is shorter than minFrameBytes', async () => {
    const pool = new CompressingPool({ minFrameBytes: 64 });
    const client = pool.client('firehose', 15);
    pool.publish('A', '{"n":1}'.padEnd(63));
    pool.publish('A', '{"n":2}'.padEnd(64));
    pool.flushAll();
    expect(await gotBy(client)).toEqual([-1, 2]);
    expect(pool.statistics.get('framesTooSmallToCompress')).toBe(1);
  });

  it('while the shard is busier than maxUtilization, after which the stream goes on', async () => {
    const pool = new CompressingPool({ maxUtilization: 0.8 });
    const client = pool.client('firehose', 15);
    send(pool, 1);
    pool.statistics.set('loopUtilization', 0.81);
    send(pool, 2, 3);
    pool.statistics.set('loopUtilization', 0.8);
    send(pool, 4);
    expect(await gotBy(client)).toEqual([1, -2, -3, 4]);
    expect(pool.statistics.get('compressionSkippedBusy')).toBe(2);
    expect(pool.statistics.get('compressionResets')).toBe(1);
  });

  it('where maxStreams are open, until one of them is closed', async () => {
    const pool = new CompressingPool({ maxStreams: 1, resetMs: 100 });
    const everything = pool.client('firehose', 15);
    send(pool, 1);
    const one = pool.client({ symbols: 'A' }, 15);
    send(pool, 2);
    pool.disconnect(everything.connection);
    pool.compression.sweep(0);
    pool.nowMs = 99;
    send(pool, 3);
    pool.nowMs = 100;
    send(pool, 4);
    expect([await gotBy(everything), await gotBy(one)]).toEqual([
      [1, 2],
      [-2, -3, 4],
    ]);
  });

  it('where a stream has lost more than half of minMembers, or had nothing to do for a minute', async () => {
    const pool = new CompressingPool({ minMembers: 4 });
    const clients = [15, 15, 15, 15].map((windowBits) => pool.client('firehose', windowBits));
    send(pool, 1);
    for (const { connection } of clients.splice(2)) pool.disconnect(connection);
    pool.compression.sweep(60_000);
    send(pool, 2);
    pool.disconnect(clients.pop()!.connection);
    pool.compression.sweep(60_000);
    send(pool, 3);
    expect(await gotBy(clients[0]!)).toEqual([1, 2, -3]);
    const idle = new CompressingPool();
    idle.client('firehose', 15);
    send(idle, 1);
    idle.compression.sweep(60_001);
    expect(idle.statistics.get('compressionStreams')).toBe(0);
  });
});

describe('statistics', () => {
  it('tell the bytes that went over the wire, and those of before', () => {
    const pool = new CompressingPool();
    const { socket, connection } = pool.client('firehose', 15);
    const plain = pool.client('firehose', 0);
    send(pool, 1, 2, 3);
    const bytes = socket.received.length + plain.socket.received.length;
    expect(socket.received.length).toBeLessThan(plain.socket.received.length);
    expect(connection.bytesSent).toBe(socket.received.length);
    expect(pool.statistics.get('bytesForwarded')).toBe(bytes);
    expect(pool.deliveries()).toEqual({ count: 6, bytes });
    expect(pool.statistics.get('compressionBytesIn')).toBe(plain.socket.received.length);
    expect(pool.statistics.get('compressionBytesOut')).toBe(socket.received.length);
  });
});

describe('compression', () => {
  const statistics = new StatisticsBlock(StatisticsBlock.allocate());

  it('is there only where it is asked for', () => {
    const log = collectingLogger();
    const create = (mode: 'off' | 'shared') =>
      Compression.create({ options: createConfig({ compression: { mode } }).compression, statistics }, log);
    expect(create('off')).toBeUndefined();
    expect(create('shared')).toBeInstanceOf(Compression);
    expect(log.lines).toEqual([]);
  });

  it('is off, which the log says, where this Node cannot do it', () => {
    const selfTest = vi.spyOn(SyncDeflate, 'selfTest').mockReturnValue(new Error('another Node'));
    onTestFinished(() => selfTest.mockRestore());
    const log = collectingLogger();
    const { compression: options } = createConfig({ compression: { mode: 'shared' } });
    expect(Compression.create({ options, statistics }, log)).toBeUndefined();
    expect(log.lines).toMatchObject([{ level: 'error', fields: { code: 'COMPRESSION_UNAVAILABLE' } }]);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { CLOSES, closeRow } from '../../src/connection/close-codes.ts';
import { Aggregator } from '../../src/telemetry/aggregator.ts';
import { dataTypeSlot } from '../../src/telemetry/statistics-block.ts';
import { FakeAdminContext, FakeInstruments } from '../support/fake-admin-context.ts';

let context: FakeAdminContext;
let instruments: FakeInstruments;
let aggregator: Aggregator;

beforeEach(() => {
  context = new FakeAdminContext({ limits: { pendingBytes: 1_000 } });
  instruments = new FakeInstruments();
  aggregator = new Aggregator(context, CLOSES, instruments);
});

/** A second passes `times` times, each of them with `work` first, and is sampled. */
function seconds(times: number, work: () => void = () => {}): void {
  for (let n = 0; n < times; n++) {
    work();
    instruments.pass(1_000);
    aggregator.sample();
  }
}

function deliver(shard: number, type: string, count: number, latencyUs: number, bytes = 100): void {
  context.block(shard).addDeliveries(dataTypeSlot(type), count, bytes, latencyUs);
  context.block(shard).add('messagesForwarded', count);
  context.block(shard).add('bytesForwarded', count * bytes);
}

describe('ConnectionStats', () => {
  it('has the fields of the contract, all 0 before the first connection (T50)', () => {
    expect(aggregator.connectionStats()).toEqual({
      totalConnections: 0,
      activeConnections: 0,
      totalSubscriptions: 0,
      averageConnectionDuration: 0,
      messagesForwarded: 0,
      errorsEncountered: 0,
      lastActivity: context.startedAtMs,
    });
  });

  it('adds up all shards', () => {
    for (const block of context.blocks()) {
      block.add('connectionsAccepted', 10);
      block.set('connectionsOpen', 4);
      block.set('connectedAtMsSum', 4 * instruments.wall);
      block.add('connectionsClosed', 6);
      block.set('filtersInForce', 5);
      block.set('channelsInForce', 9);
      block.add('messagesForwarded', 100);
      block.add('errors', 2);
    }
    context.block(1).set('lastActivityMs', 1_234_567);
    expect(aggregator.connectionStats()).toMatchObject({
      totalConnections: 20,
      activeConnections: 8,
      totalSubscriptions: 10,
      messagesForwarded: 200,
      errorsEncountered: 4,
      lastActivity: 1_234_567,
    });
  });

  it('averages the duration over closed and open connections', () => {
    const block = context.block();
    block.add('connectionsClosed', 1);
    block.add('connectionDurationMsSum', 6_000);
    block.set('connectionsOpen', 2);
    block.set('connectedAtMsSum', 2 * instruments.wall);
    instruments.pass(3_000);
    expect(aggregator.connectionStats().averageConnectionDuration).toBe(4_000);
  });

  it('keeps the last activity of a shard whose thread has ended', () => {
    context.block().set('lastActivityMs', 2_000_000);
    aggregator.sample();
    context.block().resetGauges();
    expect(aggregator.connectionStats().lastActivity).toBe(2_000_000);
  });
});

describe('PoolStats', () => {
  it('has the fields of the contract', () => {
    expect(Object.keys(aggregator.poolStats())).toEqual([
      'totalConnections',
      'activeConnections',
      'errorConnections',
      'totalMessagesSent',
      'totalBytesSent',
      'averageLatency',
      'memoryUsage',
      'bufferUtilization',
      'connectionTurnover',
    ]);
  });

  it('tells memory in MiB and buffers in percent of what the open connections may hold', () => {
    context.block(0).set('connectionsOpen', 3);
    context.block(1).set('connectionsOpen', 1);
    context.block(1).set('pendingBytes', 1_000);
    expect(aggregator.poolStats()).toMatchObject({ memoryUsage: 100, bufferUtilization: 25 });
  });

  it('has no buffer utilization where nothing limits the buffers', () => {
    const unlimited = new FakeAdminContext({ limits: { pendingBytes: 0 } });
    unlimited.block().set('connectionsOpen', 3);
    unlimited.block().set('pendingBytes', 1_000);
    expect(new Aggregator(unlimited, CLOSES, instruments).poolStats().bufferUtilization).toBe(0);
  });

  it('counts those connections as failed whose close is an error', () => {
    for (const name of ['clientClosed', 'connectionLost', 'slowConsumer', 'heartbeatTimeout'] as const) {
      context.block().addClose(closeRow(name));
    }
    context.block(1).addClose(closeRow('slowConsumer'));
    expect(aggregator.poolStats().errorConnections).toBe(3);
  });

  it('counts messages and bytes, and the connections closed a minute', () => {
    seconds(30, () => {
      deliver(0, 'trade', 2, 1_000);
      context.block(1).add('connectionsClosed');
    });
    expect(aggregator.poolStats()).toMatchObject({
      totalMessagesSent: 60,
      totalBytesSent: 6_000,
      averageLatency: 1,
      connectionTurnover: 60,
    });
  });
});

describe('latencies', () => {
  it('are told in ms, by data type, over all shards', () => {
    deliver(0, 'trade', 1, 2_000);
    deliver(1, 'trade', 1, 4_000);
    deliver(1, 'liquidation', 1, 30_000);
    const { byType, total } = aggregator.latencies();
    expect(byType.trade).toMatchObject({ count: 2, averageMs: 3 });
    expect(byType.other).toMatchObject({ count: 1, averageMs: 30 });
    expect(byType.ticker).toEqual({ count: 0, averageMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 });
    expect(total).toMatchObject({ count: 3, averageMs: 12 });
  });

  it('are near the true percentiles', () => {
    for (let ms = 1; ms <= 100; ms++) deliver(ms % 2, 'trade', 1, ms * 1_000);
    const { p50Ms, p95Ms, p99Ms } = aggregator.latencies().total;
    for (const [told, exact] of [
      [p50Ms, 50],
      [p95Ms, 95],
      [p99Ms, 99],
    ] as const) {
      expect(Math.abs(told - exact)).toBeLessThan(exact / 30);
    }
  });
});

describe('recent figures', () => {
  it('are all 0 at the start', () => {
    const { latency, ...figures } = aggregator.recent();
    expect(Object.values(figures).every((value) => value === 0)).toBe(true);
    expect(latency.count).toBe(0);
  });

  it('tell rates a second', () => {
    seconds(10, () => {
      deliver(0, 'trade', 3, 500);
      deliver(1, 'ticker', 1, 500);
      context.block(1).add('commands', 2);
      context.block(1).add('errors', 1);
      context.ringFigures.publications += 5;
      instruments.cpu += 250_000;
    });
    expect(aggregator.recent()).toMatchObject({
      windowMs: 10_000,
      deliveries: 40,
      messagesPerSecond: 4,
      bytesPerSecond: 400,
      publicationsPerSecond: 5,
      commandsPerSecond: 2,
      errorsPerSecond: 1,
      cpuPercent: 25,
    });
  });

  it('forget what is older than a minute, and the counts since the start stay', () => {
    seconds(10, () => deliver(0, 'trade', 100, 50_000));
    seconds(60, () => deliver(0, 'trade', 1, 1_000));
    const recent = aggregator.recent();
    expect(recent).toMatchObject({ windowMs: 60_000, deliveries: 60 });
    expect(recent.latency).toMatchObject({ count: 60, averageMs: 1 });
    expect(recent.latency.maxMs).toBeLessThan(1.1);
    expect(aggregator.latencies().total.count).toBe(1_060);
  });

  it('reach up to this moment, not to the last sample', () => {
    seconds(2);
    deliver(0, 'trade', 1, 7_000);
    instruments.pass(500);
    expect(aggregator.recent()).toMatchObject({ windowMs: 2_500, deliveries: 1 });
  });

  it('reach over a longer time when the samples have failed to come', () => {
    deliver(0, 'trade', 90, 1_000);
    instruments.pass(90_000);
    expect(aggregator.recent()).toMatchObject({ windowMs: 90_000, messagesPerSecond: 1 });
  });

  it('do not make a rate of a moment', () => {
    deliver(0, 'trade', 10, 1_000);
    instruments.pass(1);
    expect(aggregator.recent().messagesPerSecond).toBe(10);
  });

  it('are not disturbed by samples that come too often', () => {
    for (let n = 0; n < 5_000; n++) {
      instruments.pass(10);
      aggregator.sample();
    }
    expect(aggregator.recent().windowMs).toBe(50_000);
  });

  it('are not disturbed by a wall clock that is set back', () => {
    seconds(5, () => deliver(0, 'trade', 1, 1_000));
    instruments.wall -= 3_600_000;
    expect(aggregator.recent()).toMatchObject({ windowMs: 5_000, messagesPerSecond: 1 });
  });

  it('go on when a shard comes up again', () => {
    seconds(5, () => deliver(0, 'trade', 1, 1_000));
    context.block().resetGauges();
    seconds(5, () => deliver(0, 'trade', 1, 1_000));
    expect(aggregator.recent().messagesPerSecond).toBe(1);
  });
});

describe('the error rate', () => {
  it('is errors for each delivery, command and handshake', () => {
    seconds(1, () => {
      deliver(0, 'trade', 1_000, 1_000);
      context.block().add('commands', 500);
      context.block().add('connectionsAccepted', 300);
      context.block().add('connectionsRefused', 100);
      context.block().add('handshakesFailed', 100);
      context.block().add('errors', 100);
    });
    expect(aggregator.recent().errorRate).toBeCloseTo(0.05);
  });

  it('takes a quiet minute for one of a thousand events', () => {
    context.block().add('commands', 1);
    context.block().add('errors', 1);
    expect(aggregator.recent().errorRate).toBe(0.001);
  });

  it('is never over 1', () => {
    context.block().add('errors', 5_000);
    expect(aggregator.recent().errorRate).toBe(1);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CLOSES } from '../../src/connection/close-codes.ts';
import { Aggregator } from '../../src/telemetry/aggregator.ts';
import { PerformanceLog } from '../../src/telemetry/performance-log.ts';
import { collectingLogger } from '../support/collected-lines.ts';
import { FakeAdminContext, FakeInstruments } from '../support/fake-admin-context.ts';

function performanceLog(performanceIntervalMs: number) {
  const context = new FakeAdminContext({ log: { performanceIntervalMs } });
  const instruments = new FakeInstruments();
  const aggregator = new Aggregator(context, CLOSES, instruments);
  const log = collectingLogger();
  return { context, instruments, log, performanceLog: new PerformanceLog(context, aggregator, log) };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('the performance log', () => {
  it('tells connections, rates, latency, memory and shards in one line at INFO', () => {
    const { context, instruments, log, performanceLog: performance } = performanceLog(60_000);
    context.block(0).set('connectionsOpen', 3);
    context.block(0).set('loopUtilization', 0.25);
    context.block(1).addDeliveries(0, 20, 100, 2_000);
    instruments.pass(2_000);
    performance.write();
    expect(log.lines).toMatchObject([
      {
        level: 'info',
        message: 'Performance metrics',
        fields: {
          connections: 3,
          subscriptions: 0,
          errors: 0,
          messagesPerSecond: 10,
          bytesPerSecond: 1_000,
          latency: { count: 20, averageMs: 2 },
          memoryMb: 100,
          cpuPercent: 0,
          shards: [{ index: 0, status: 'running', connections: 3, loopUtilization: 0.25 }, { index: 1 }],
        },
      },
    ]);
  });

  it('comes each interval, until it is stopped', () => {
    const { log, performanceLog: performance } = performanceLog(5_000);
    performance.start();
    performance.start();
    vi.advanceTimersByTime(15_000);
    expect(log.lines).toHaveLength(3);
    performance.stop();
    vi.advanceTimersByTime(15_000);
    expect(log.lines).toHaveLength(3);
  });

  it('does not come where the interval is 0', () => {
    const { log, performanceLog: performance } = performanceLog(0);
    performance.start();
    vi.advanceTimersByTime(86_400_000);
    expect(log.lines).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import { CLOSES } from '../../src/connection/close-codes.ts';
import { Aggregator } from '../../src/telemetry/aggregator.ts';
import { assessHealth, type HealthReason, SHARD_SILENT_MS } from '../../src/telemetry/health.ts';
import { HEALTH_THRESHOLDS, LATENCY_DELIVERIES_MIN } from '../../src/telemetry/health-figures.ts';
import { FakeAdminContext, FakeInstruments, sourceState } from '../support/fake-admin-context.ts';

const MIB = 1024 * 1024;
let context: FakeAdminContext;
let instruments: FakeInstruments;
let aggregator: Aggregator;

function gateway(options: ConfigOverrides = {}): void {
  context = new FakeAdminContext(options);
  instruments = new FakeInstruments();
  aggregator = new Aggregator(context, CLOSES, instruments);
}

beforeEach(() => gateway());

function deliverAt(latencyMs: number, count = 100): void {
  context.block().addDeliveries(0, count, 100, latencyMs * 1_000);
}

const health = () => assessHealth(context, aggregator);

describe('docs/operation.md', () => {
  it('lists every check of health with its thresholds', () => {
    const text = readFileSync(new URL('../../docs/operation.md', import.meta.url), 'utf8');
    const rows = text.split('\n').filter((line) => /^\| `\w+` \|/.test(line));
    const listed = rows.map((line) => {
      const [, check, degraded, unhealthy] = line.split('|').map((cell) => cell.trim());
      return [check!.replaceAll('`', ''), `${degraded} / ${unhealthy}`] as const;
    });
    const checks: Record<HealthReason['check'], RegExp> = {
      running: /not running$/,
      shards: /one is down \/ all are down/,
      crashLoop: /one is in a crash loop$/,
      sources: /one has failed/,
      latencyMs: new RegExp(
        `over ${HEALTH_THRESHOLDS.latencyMs.degraded} / over ${HEALTH_THRESHOLDS.latencyMs.unhealthy}$`,
      ),
      errorRate: new RegExp(
        `over ${HEALTH_THRESHOLDS.errorRate.degraded * 100} % / over ${HEALTH_THRESHOLDS.errorRate.unhealthy * 100} %$`,
      ),
      memoryMb: new RegExp(`over ${HEALTH_THRESHOLDS.memoryShare.degraded * 100} %`),
      memoryPressure: /something is done \/ new connections are refused$/,
      connections: new RegExp(`over ${HEALTH_THRESHOLDS.connectionShare.degraded * 100} %`),
      instances: /one does not answer/,
    };
    expect(listed.map(([check]) => check)).toEqual(Object.keys(checks));
    for (const [check, thresholds] of listed) expect(thresholds).toMatch(checks[check as HealthReason['check']]);
    expect(text).toContain(`silent for ${SHARD_SILENT_MS / 1_000} s`);
    expect(text).toContain(`from ${LATENCY_DELIVERIES_MIN} deliveries on`);
  });
});

describe('health', () => {
  it('has the shape of the contract (T51)', () => {
    instruments.pass(5_000);
    context.block(0).set('connectionsOpen', 2);
    context.block(1).set('connectionsOpen', 1);
    expect(health()).toEqual({
      status: 'healthy',
      connections: 3,
      uptime: 5_000,
      performance: { avgLatency: 0, memoryUsage: 100, cpuUsage: 0 },
      reasons: [],
      alerts: [],
    });
  });

  it('tells the last error without turning for it', () => {
    context.error = { message: 'WebSocket shard failed', timestamp: 5 };
    expect(health()).toMatchObject({
      status: 'healthy',
      lastError: { message: 'WebSocket shard failed', timestamp: 5 },
    });
  });

  it.each([
    [15, 'healthy', []],
    [15.1, 'degraded', [{ check: 'latencyMs', value: 15.1, threshold: 15, level: 'degraded' }]],
    [30, 'degraded', [{ check: 'latencyMs', value: 30, threshold: 15, level: 'degraded' }]],
    [30.1, 'unhealthy', [{ check: 'latencyMs', value: 30.1, threshold: 30, level: 'unhealthy' }]],
  ])('at %d ms average latency is %s', (latencyMs, status, reasons) => {
    deliverAt(latencyMs);
    expect(health()).toMatchObject({ status, reasons, performance: { avgLatency: latencyMs } });
  });

  it('takes no notice of a few late deliveries on a quiet gateway', () => {
    deliverAt(500, LATENCY_DELIVERIES_MIN - 1);
    expect(health().status).toBe('healthy');
    deliverAt(500, 1);
    expect(health().status).toBe('unhealthy');
  });

  it('recovers a minute after the latency has', () => {
    deliverAt(100);
    expect(health().status).toBe('unhealthy');
    for (let n = 0; n < 61; n++) {
      instruments.pass(1_000);
      aggregator.sample();
    }
    expect(health().status).toBe('healthy');
  });

  it('does not count the time that a fixed batch waits on purpose', () => {
    gateway({ batch: { mode: 'fixed', maxDelayMs: 1_000 } });
    deliverAt(1_010);
    expect(health().status).toBe('healthy');
    deliverAt(1_100);
    expect(health()).toMatchObject({ reasons: [{ check: 'latencyMs', threshold: 1_030, level: 'unhealthy' }] });
  });

  it.each([
    [10, 'healthy'],
    [11, 'degraded'],
    [50, 'degraded'],
    [51, 'unhealthy'],
  ])('with %d errors among 1,000 events is %s', (errors, status) => {
    context.block().add('commands', 1_000);
    context.block().add('errors', errors);
    expect(health().status).toBe(status);
  });

  it('is not turned by one bad message on a quiet gateway', () => {
    context.block().add('commands');
    context.block().add('errors');
    expect(health().status).toBe('healthy');
  });

  it.each([
    [80, 'healthy'],
    [80.5, 'degraded'],
    [500, 'degraded'],
  ])('at %d % of the memory threshold is %s', (percent, status) => {
    gateway({ memory: { thresholdMb: 200 } });
    instruments.rss = 2 * percent * MIB;
    expect(health().status).toBe(status);
  });

  it.each([
    [0, 'healthy', []],
    [1, 'degraded', [{ check: 'memoryPressure', value: 1, threshold: 0, level: 'degraded' }]],
    [3, 'degraded', [{ check: 'memoryPressure', value: 3, threshold: 0, level: 'degraded' }]],
    [4, 'unhealthy', [{ check: 'memoryPressure', value: 4, threshold: 3, level: 'unhealthy' }]],
  ] as const)('at stage %d of memory pressure is %s', (stage, status, reasons) => {
    context.pressureState.stage = stage;
    expect(health()).toMatchObject({ status, reasons });
  });

  it.each([
    [90, 'healthy'],
    [91, 'degraded'],
    [100, 'degraded'],
  ])('with %d of 100 connections is %s', (open, status) => {
    gateway({ limits: { connections: 100 } });
    context.block().set('connectionsOpen', open);
    expect(health().status).toBe(status);
  });

  it('does not measure against limits that are none', () => {
    gateway({ limits: { connections: 0 }, memory: { thresholdMb: 0 } });
    context.block().set('connectionsOpen', 1_000_000);
    instruments.rss = 100_000 * MIB;
    expect(health().status).toBe('healthy');
  });

  it('is unhealthy while the gateway is not running', () => {
    context.isRunning = false;
    expect(health()).toMatchObject({ status: 'unhealthy', reasons: [{ check: 'running' }] });
  });

  it('is degraded while a shard is down, unhealthy while all are', () => {
    context.shardStates[0]!.status = 'restarting';
    expect(health()).toMatchObject({ status: 'degraded', reasons: [{ check: 'shards', value: 1 }] });
    context.shardStates[1]!.status = 'starting';
    expect(health()).toMatchObject({ status: 'unhealthy', reasons: [{ check: 'shards', value: 2 }] });
  });

  it('takes a shard that has not turned for long for one that is down', () => {
    for (const block of context.blocks()) block.set('heartbeatMs', instruments.wall);
    instruments.pass(SHARD_SILENT_MS);
    expect(health().status).toBe('healthy');
    instruments.pass(1);
    context.block(0).set('heartbeatMs', instruments.wall);
    expect(health()).toMatchObject({ status: 'degraded', reasons: [{ check: 'shards', value: 1 }] });
    instruments.pass(SHARD_SILENT_MS + 1);
    expect(health()).toMatchObject({ status: 'unhealthy', reasons: [{ check: 'shards', value: 2 }] });
  });

  it('is degraded while a source has failed, not when one has ended', () => {
    context.sourceStates = [sourceState({ status: 'ended' }), sourceState({ name: 'ndjson', status: 'failed' })];
    expect(health()).toMatchObject({ status: 'degraded', reasons: [{ check: 'sources', value: 1 }] });
    context.sourceStates[1]!.status = 'active';
    expect(health().status).toBe('healthy');
  });

  it('names every reason, and the worst decides', () => {
    deliverAt(20);
    context.shardStates[0]!.status = 'restarting';
    context.isRunning = false;
    const { status, reasons } = health();
    expect(status).toBe('unhealthy');
    expect(reasons.map(({ check }) => check)).toEqual(['running', 'shards', 'latencyMs']);
  });
});

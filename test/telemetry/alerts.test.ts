import { beforeEach, describe, expect, it } from 'vitest';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import { CLOSES } from '../../src/connection/close-codes.ts';
import { Aggregator } from '../../src/telemetry/aggregator.ts';
import { ALERT_RULES, KEEP_FIRING_MS } from '../../src/telemetry/alert-rules.ts';
import { Alerts } from '../../src/telemetry/alerts.ts';
import { assessHealth } from '../../src/telemetry/health.ts';
import { HEALTH_THRESHOLDS } from '../../src/telemetry/health-figures.ts';
import { rowsOf, sectionOf } from '../docs/markdown.ts';
import { textOf } from '../docs/repository-files.ts';
import { collectingLogger } from '../support/collected-lines.ts';
import { FakeAdminContext, FakeInstruments } from '../support/fake-admin-context.ts';

const MIB = 1024 * 1024;
let context: FakeAdminContext;
let instruments: FakeInstruments;
let aggregator: Aggregator;
let log: ReturnType<typeof collectingLogger>;
let alerts: Alerts;

function gateway(options: ConfigOverrides = {}): void {
  context = new FakeAdminContext({ limits: { connections: 100 }, ...options });
  instruments = new FakeInstruments();
  aggregator = new Aggregator(context, CLOSES, instruments);
  log = collectingLogger();
  alerts = new Alerts(context, aggregator, log, instruments);
}

beforeEach(() => gateway());

/** Checks once a second, as the gateway does. */
function pass(seconds: number): void {
  for (let n = 0; n < seconds; n++) {
    instruments.pass(1_000);
    aggregator.sample();
    alerts.check();
  }
}

const open = (connections: number) => context.block().set('connectionsOpen', connections);
const states = () => alerts.list().map(({ name, severity, state }) => `${name} ${severity} ${state}`);

describe('the alerts of the gateway', () => {
  it('are none while all is well', () => {
    pass(120);
    expect(alerts.list()).toEqual([]);
    expect(log.lines).toEqual([]);
  });

  it('are pending first, and fire once the figure has stayed over its threshold for long enough', () => {
    open(91);
    pass(1);
    const sinceMs = instruments.wall;
    expect(alerts.list()).toEqual([
      {
        name: 'TickcastConnectionsHigh',
        severity: 'warning',
        state: 'pending',
        value: 91,
        threshold: 90,
        since: sinceMs,
        summary: 'Open connections: 91; limit 90, a share of limits.connections',
      },
    ]);
    open(95);
    pass(59);
    expect(alerts.list()).toMatchObject([{ state: 'pending', value: 95, since: sinceMs }]);
    pass(1);
    expect(alerts.list()).toMatchObject([{ state: 'firing', value: 95, since: sinceMs + 60_000 }]);
  });

  it('are forgotten when the figure falls before that, and wait anew', () => {
    open(91);
    pass(50);
    open(90);
    pass(1);
    expect(alerts.list()).toEqual([]);
    open(91);
    pass(50);
    expect(alerts.list()).toMatchObject([{ state: 'pending' }]);
    expect(log.lines).toEqual([]);
  });

  it('go on firing at the edge of their threshold, and end when it has been kept for a while', () => {
    open(91);
    pass(61);
    for (let n = 0; n < 5; n++) {
      open(89);
      pass(KEEP_FIRING_MS / 1_000 - 1);
      expect(alerts.list()).toMatchObject([{ state: 'firing', value: 89 }]);
      open(91);
      pass(1);
    }
    open(89);
    pass(KEEP_FIRING_MS / 1_000 - 1);
    expect(alerts.list()).toMatchObject([{ state: 'firing' }]);
    pass(1);
    expect(alerts.list()).toEqual([]);
  });

  it('are logged when they begin to fire and when they are over, once each', () => {
    open(95);
    pass(100);
    open(5);
    pass(100);
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message:
          'WebSocket alert TickcastConnectionsHigh: Open connections: 95; limit 90, a share of limits.connections',
        fields: { alert: 'TickcastConnectionsHigh', severity: 'warning', value: 95, threshold: 90 },
      },
      {
        level: 'info',
        message: 'WebSocket alert TickcastConnectionsHigh: over',
        fields: {
          alert: 'TickcastConnectionsHigh',
          severity: 'warning',
          value: 5,
          threshold: 90,
          lastedMs: (100 - 61 + KEEP_FIRING_MS / 1_000) * 1_000,
        },
      },
    ]);
  });

  it('tell a warning and what is critical apart, the critical one sooner and at ERROR', () => {
    const late = () => context.block().addDeliveries(0, 100, 100, 40_000);
    for (let n = 0; n < 31; n++) {
      late();
      pass(1);
    }
    expect(states()).toEqual(['TickcastLatencyHigh warning pending', 'TickcastLatencyHigh critical firing']);
    expect(log.lines).toMatchObject([
      {
        level: 'error',
        message: 'WebSocket alert TickcastLatencyHigh: Average delivery latency of the last minute: 40 ms; limit 30 ms',
      },
    ]);
  });

  it('leave out what a fixed batch waits on purpose', () => {
    gateway({ batch: { mode: 'fixed', maxDelayMs: 100 } });
    context.block().addDeliveries(0, 100, 100, 110_000);
    pass(1);
    expect(alerts.list()).toEqual([]);
    context.block().addDeliveries(0, 100, 100, 190_000);
    pass(1);
    expect(alerts.list()).toMatchObject([
      { severity: 'warning', threshold: 115 },
      { severity: 'critical', threshold: 130 },
    ]);
  });

  it('end after the last delivery, when there is no latency to judge any more', () => {
    for (let n = 0; n < 70; n++) {
      context.block().addDeliveries(0, 100, 100, 20_000);
      pass(1);
    }
    expect(states()).toEqual(['TickcastLatencyHigh warning firing']);
    pass(61);
    expect(alerts.list()).toMatchObject([{ state: 'firing', value: 20 }]);
    pass(61);
    expect(alerts.list()).toEqual([]);
  });

  it('watch errors and memory too', () => {
    gateway({ memory: { thresholdMb: 200 } });
    instruments.rss = 170 * MIB;
    context.block().add('commands', 1_000);
    context.block().add('errors', 60);
    pass(1);
    expect(alerts.list().map(({ summary }) => summary)).toEqual([
      'Error rate of the last minute: 6 %; limit 1 %',
      'Error rate of the last minute: 6 %; limit 5 %',
      'Resident memory: 170 MiB; limit 160 MiB, a share of memory.thresholdMb',
    ]);
  });

  it('do not measure against limits that are none', () => {
    gateway({ limits: { connections: 0 }, memory: { thresholdMb: 0 } });
    open(1_000_000);
    instruments.rss = 100_000 * MIB;
    pass(1);
    expect(alerts.list()).toEqual([]);
  });

  it('are part of health, and turn nothing by themselves', () => {
    const alert = { ...ALERT_RULES[0]!, state: 'firing', value: 1, threshold: 0, since: 1, summary: '' } as const;
    context.raisedAlerts = [alert];
    expect(assessHealth(context, aggregator)).toMatchObject({ status: 'healthy', alerts: [alert] });
  });
});

describe('the rules', () => {
  it('judge what health judges, by the same thresholds', () => {
    open(91);
    context.block().addDeliveries(0, 100, 100, 31_000);
    pass(1);
    const { reasons } = assessHealth(context, aggregator);
    for (const { check, value, threshold } of reasons) {
      expect(alerts.list()).toContainEqual(expect.objectContaining({ value, threshold }));
      expect(ALERT_RULES.map(({ figure }) => figure)).toContain(check);
    }
    expect(reasons).toHaveLength(2);
  });
});

describe('docs/operation.md', () => {
  const section = sectionOf(textOf('docs/operation.md'), 'Alerts');
  const { latencyMs, errorRate, memoryShare, connectionShare } = HEALTH_THRESHOLDS;
  const percent = (share: number) => `${share * 100} %`;
  /** Word for word what the cells of a rule hold first. */
  const told: Record<string, readonly [warning: string, critical: string]> = {
    TickcastLatencyHigh: [`average over ${latencyMs.degraded} ms`, `over ${latencyMs.unhealthy} ms`],
    TickcastErrorRateHigh: [`over ${percent(errorRate.degraded)}`, `over ${percent(errorRate.unhealthy)}`],
    TickcastMemoryHigh: [`over ${percent(memoryShare.degraded)} of \`memory.thresholdMb\``, ''],
    TickcastConnectionsHigh: [`over ${percent(connectionShare.degraded)} of \`limits.connections\``, ''],
  };

  it('lists every alert with its thresholds', () => {
    expect(rowsOf(section)).toEqual(Object.entries(told).map(([name, cells]) => [name, ...cells]));
    const names = ALERT_RULES.map(({ name }) => name);
    expect([...new Set(names)]).toEqual(Object.keys(told));
  });

  it('says how long they take to fire, and to end', () => {
    const seconds = (severity: string) => ALERT_RULES.find((rule) => rule.severity === severity)!.forMs / 1_000;
    expect(section.replaceAll(/\s+/g, ' ')).toContain(
      `for ${seconds('warning')} s, a critical one for ${seconds('critical')} s. It ends when it has not been over it for ${KEEP_FIRING_MS / 1_000} s`,
    );
  });
});

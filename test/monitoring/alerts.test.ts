import { describe, expect, it } from 'vitest';
import { ALERT_RULES, type AlertRule, KEEP_FIRING_MS } from '../../src/telemetry/alert-rules.ts';
import { SHARD_SILENT_MS } from '../../src/telemetry/health.ts';
import { HEALTH_THRESHOLDS, LATENCY_DELIVERIES_MIN } from '../../src/telemetry/health-figures.ts';
import { EVENTS_MIN } from '../../src/telemetry/recent-window.ts';
import {
  ALERT_TESTS_FILE,
  ALERTS_FILE,
  type AlertingRule,
  alertingRules,
  alertTests,
  recordingRules,
  titleOf,
} from '../support/alert-files.ts';
import { selectorsOf } from '../support/promql.ts';
import { promtool } from '../support/promtool.ts';

describe('config/prometheus', () => {
  it('holds rules that Prometheus takes', () => {
    expect(promtool('check', 'rules', ALERTS_FILE)).toContain(`${alertingRules.length + recordingRules.length} rules`);
  });

  it('holds a configuration that Prometheus takes', () => {
    expect(promtool('check', 'config', 'config/prometheus/prometheus.yml')).toContain('SUCCESS');
  });

  it('holds alerts that fire when they should, and not otherwise', () => {
    expect(promtool('test', 'rules', ALERT_TESTS_FILE)).toContain('SUCCESS');
  });
});

describe.each(alertingRules.map((rule) => [titleOf(rule), rule] as const))('%s', (_title, rule) => {
  const cases = alertTests.flatMap(({ input_series, alert_rule_test }) =>
    alert_rule_test
      .filter(({ alertname }) => alertname === rule.alert)
      .map(({ exp_alerts }) => ({
        metrics: input_series.map(({ series }) => series.split('{', 1)[0]!),
        fires: exp_alerts.some(({ exp_labels }) => exp_labels.severity === rule.labels.severity),
      })),
  );

  it('is tested on series on which it fires, and on series of all its metrics on which it does not', () => {
    expect(cases.filter(({ fires }) => fires)).not.toEqual([]);
    const needed = metricsOf(rule.expr);
    const quiet = cases.filter(({ fires, metrics }) => !fires && needed.every((metric) => metrics.includes(metric)));
    expect(quiet).not.toEqual([]);
  });

  it('says how bad it is, what is so, with the figure, and where to read on', () => {
    const { severity } = rule.labels;
    const { summary, description, runbook_url } = rule.annotations;
    expect(severity).toMatch(/^(warning|critical)$/);
    // Where nothing is watched there is no instance to name.
    if (rule.alert !== 'TickcastAbsent') expect(summary).toContain('{{ $labels.instance }}');
    expect(description).toMatch(/\{\{ \$value \| humanize\w* \}\}/);
    expect(runbook_url).toBe(`docs/runbook.md#${rule.alert.toLowerCase()}`);
  });
});

/** What the expression reads, through recording rules down to what is scraped. */
function metricsOf(expr: string): string[] {
  return selectorsOf(expr).flatMap(({ metric }) => {
    const recorded = recordingRules.find(({ record }) => record === metric);
    return recorded === undefined ? [metric] : metricsOf(recorded.expr);
  });
}

describe('the alerts that the gateway raises too', () => {
  const THRESHOLDS: Record<AlertRule['figure'], { degraded: number; unhealthy: number }> = {
    latencyMs: {
      degraded: HEALTH_THRESHOLDS.latencyMs.degraded / 1_000,
      unhealthy: HEALTH_THRESHOLDS.latencyMs.unhealthy / 1_000,
    },
    errorRate: HEALTH_THRESHOLDS.errorRate,
    memoryMb: HEALTH_THRESHOLDS.memoryShare,
    memoryPressure: HEALTH_THRESHOLDS.pressureStage,
    connections: HEALTH_THRESHOLDS.connectionShare,
  };

  it.each(ALERT_RULES.map((rule) => [`${rule.name} ${rule.severity}`, rule] as const))(
    '%s has the same threshold and times there',
    (title, { figure, severity, forMs }) => {
      const rule = ruleOf(title);
      expect(thresholdOf(rule)).toBe(THRESHOLDS[figure][severity === 'critical' ? 'unhealthy' : 'degraded']);
      expect({ forMs: msOf(rule.for), keepMs: msOf(rule.keep_firing_for) }).toEqual({ forMs, keepMs: KEEP_FIRING_MS });
    },
  );

  it('are all those with a threshold of the gateway', () => {
    const names = new Set(ALERT_RULES.map(({ name }) => name));
    const shared = alertingRules.filter(({ alert }) => names.has(alert)).map(titleOf);
    expect(shared.toSorted()).toEqual(ALERT_RULES.map(({ name, severity }) => `${name} ${severity}`).toSorted());
  });

  it('leave out latency and errors of a quiet minute as health does', () => {
    const [latency, errors] = recordingRules.map(({ expr }) => expr);
    expect(latency).toContain(`>= ${LATENCY_DELIVERIES_MIN} / 60`);
    expect(errors).toContain(`${EVENTS_MIN} / 60`);
  });
});

describe('other alerts', () => {
  it('have the thresholds of health where health looks at the same', () => {
    const { degraded, unhealthy } = HEALTH_THRESHOLDS.pressureStage;
    expect(thresholdOf(ruleOf('TickcastMemoryPressure warning'))).toBe(degraded);
    expect(thresholdOf(ruleOf('TickcastMemoryPressure critical'))).toBe(unhealthy);
    expect(thresholdOf(ruleOf('TickcastShardSilent critical'))).toBe(SHARD_SILENT_MS / 1_000);
  });
});

function ruleOf(title: string): AlertingRule {
  const rule = alertingRules.find((each) => titleOf(each) === title);
  if (rule === undefined) throw new Error(`${ALERTS_FILE} has no alert ${title}`);
  return rule;
}

/** The number behind the last `>`. */
function thresholdOf({ expr }: AlertingRule): number {
  const match = /.*>\s*\(?([\d.]+)/s.exec(expr);
  if (match === null) throw new Error(`no threshold in ${expr}`);
  return Number(match[1]);
}

function msOf(duration = ''): number {
  const match = /^(\d+)(s|m)$/.exec(duration);
  if (match === null) throw new Error(`no duration: ${duration}`);
  return Number(match[1]) * (match[2] === 'm' ? 60_000 : 1_000);
}

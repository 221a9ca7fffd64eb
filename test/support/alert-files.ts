import { parse } from 'yaml';
import { textOf } from '../docs/repository-files.ts';

export const ALERTS_FILE = 'config/prometheus/alerts.yml';
export const ALERT_TESTS_FILE = 'test/monitoring/alerts.promtool.yml';

export interface AlertingRule {
  alert: string;
  expr: string;
  for?: string;
  keep_firing_for?: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook_url: string };
}

export interface RecordingRule {
  record: string;
  expr: string;
}

export interface AlertTest {
  name: string;
  input_series: { series: string; values: string }[];
  alert_rule_test: { alertname: string; exp_alerts: { exp_labels: Record<string, string> }[] }[];
}

const { groups } = parse(textOf(ALERTS_FILE)) as { groups: { rules: (AlertingRule | RecordingRule)[] }[] };
const rules = groups.flatMap((group) => group.rules);

export const alertingRules = rules.filter((rule) => 'alert' in rule);
export const recordingRules = rules.filter((rule) => 'record' in rule);
export const alertTests = (parse(textOf(ALERT_TESTS_FILE)) as { tests: AlertTest[] }).tests;

/** `TickcastLatencyHigh warning`: some names have two rules. */
export function titleOf({ alert, labels }: AlertingRule): string {
  return `${alert} ${labels.severity}`;
}

import { beforeAll, describe, expect, it, vi } from 'vitest';
import { Gateway } from '../../src/gateway.ts';
import { askHttp } from '../support/admin-api.ts';
import { alertingRules, alertTests, recordingRules, titleOf } from '../support/alert-files.ts';
import { collectingLogger } from '../support/collected-lines.ts';
import { dashboard, dashboardExprs } from '../support/dashboard.ts';
import { type ExposedMetric, parseExposition } from '../support/exposition.ts';
import { groupingLabelsOf, selectorsOf } from '../support/promql.ts';
import { TestClient } from '../support/test-client.ts';

/** What Prometheus adds by itself. */
const OF_PROMETHEUS = new Map([
  ['up', new Set<string>()],
  ['ALERTS', new Set(['alertname', 'alertstate'])],
]);
const LABELS_OF_A_TARGET = ['job', 'instance'];
const PATIENT = { timeout: 15_000, interval: 50 };

let exposed: Map<string, ExposedMetric>;

/** A gateway with all that brings series forth: a source, a client, what goes wrong. */
beforeAll(async () => {
  const gateway = new Gateway(
    {
      shards: 2,
      server: { port: 0 },
      ring: { bytes: 4 * 1024 * 1024 },
      limits: { payloadBytes: 64 * 1024 },
      source: { kind: 'simulator', simulator: { rate: 500 } },
    },
    { logger: collectingLogger() },
  );
  await gateway.start();
  const client = await TestClient.open(gateway.port);
  try {
    await client.until(() => client.data.length > 0, 'data');
    gateway.processData({ exchange: 'x', symbol: 'X', type: 'trade', timestamp: 1, data: 'x'.repeat(100_000) });
    gateway.processData(null as never);
    const scrape = async () => parseExposition((await askHttp(gateway.port, '/api/websocket/metrics')).text);
    exposed = await vi.waitFor(async () => {
      const metrics = await scrape();
      expect(missingIn(metrics)).toEqual([]);
      return metrics;
    }, PATIENT);
  } finally {
    await client.close();
    await gateway.stop();
  }
});

/** Series that come a moment after the start, such as the first collection of garbage. */
function missingIn(metrics: Map<string, ExposedMetric>): string[] {
  const late = ['tickcast_publications_refused_total', 'tickcast_dataflow_errors_total', 'nodejs_gc_duration_seconds'];
  return late.filter((name) => (metrics.get(name)?.samples.size ?? 0) === 0);
}

/** Labels of a metric, also by the names of a histogram's series; undefined where there is no such metric. */
function labelsOf(metric: string): ReadonlySet<string> | undefined {
  const { record, expr } = recordingRules.find((rule) => rule.record === metric) ?? {};
  if (record !== undefined) return new Set(selectorsOf(expr!).flatMap((part) => [...(labelsOf(part.metric) ?? [])]));
  const base = exposed.get(metric.replace(/_(bucket|sum|count)$/, ''));
  if (base?.type === 'histogram') return base.labels;
  return OF_PROMETHEUS.get(metric) ?? exposed.get(metric)?.labels;
}

/** What the expression names that no scrape tells. */
function unknownIn(expr: string): string[] {
  const selectors = selectorsOf(expr);
  const known = new Set([...LABELS_OF_A_TARGET, ...selectors.flatMap(({ metric }) => [...(labelsOf(metric) ?? [])])]);
  const unknownOf = ({ metric, labels }: (typeof selectors)[number]) => {
    const own = labelsOf(metric);
    if (own === undefined) return [metric];
    return labels
      .filter((label) => !own.has(label) && !LABELS_OF_A_TARGET.includes(label))
      .map((l) => `${metric}{${l}}`);
  };
  return [...selectors.flatMap(unknownOf), ...groupingLabelsOf(expr).filter((label) => !known.has(label))];
}

describe('a running gateway', () => {
  it.each([
    ...alertingRules.map((rule) => [titleOf(rule), rule.expr]),
    ...recordingRules.map((r) => [r.record, r.expr]),
  ])('tells all that the rule %s reads', (_title, expr) => {
    expect(selectorsOf(expr!)).not.toEqual([]);
    expect(unknownIn(expr!)).toEqual([]);
  });

  it.each(dashboardExprs.map(({ title, legend, expr }) => [title, legend, expr] as const))(
    'tells all that the panel "%s" reads for "%s"',
    (_title, legend, expr) => {
      expect(selectorsOf(expr)).not.toEqual([]);
      expect(unknownIn(expr)).toEqual([]);
      const labels = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
      const known = [
        ...LABELS_OF_A_TARGET,
        ...selectorsOf(expr).flatMap(({ metric }) => [...(labelsOf(metric) ?? [])]),
      ];
      expect(labels.filter((label) => !known.includes(label))).toEqual([]);
    },
  );

  it('tells what the variables of the dashboard are chosen from', () => {
    for (const { type, name, query } of dashboard.templating.list) {
      if (type !== 'query' || typeof query === 'string') continue;
      const [, metric, label] = /^label_values\((\w+)(?:\{.*\})?, (\w+)\)$/.exec(query.query)!;
      expect([name, label]).toEqual([name, name]);
      expect([...LABELS_OF_A_TARGET, ...labelsOf(metric!)!]).toContain(label);
    }
  });

  it('tells series like those that the alerts are tested on', () => {
    const series = alertTests.flatMap((test) => test.input_series.map((each) => each.series));
    const unlike = series.filter((each) => {
      const [{ metric, labels }] = selectorsOf(each) as [{ metric: string; labels: string[] }];
      const own = [...(labelsOf(metric) ?? ['no such metric'])].filter((label) => label !== 'le');
      return labels.toSorted().join() !== [...LABELS_OF_A_TARGET, ...own].toSorted().join();
    });
    expect(unlike).toEqual([]);
  });
});

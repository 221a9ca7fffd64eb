/**
 * The metrics of one gateway, as Prometheus reads them. Runs on the primary thread. In: the statistics blocks and the
 * primary's own figures, at the moment of the scrape. Out: samples that other instances add theirs to, and of those the
 * text in the Prometheus exposition format 0.0.4.
 */
import {
  type Aggregator as AggregatorName,
  AggregatorRegistry,
  Counter,
  Gauge,
  type Metric,
  Registry,
} from 'prom-client';
import type { AdminContext } from '../admin/admin-context.ts';
import type { CloseRow } from '../connection/close-codes.ts';
import type { Aggregator } from './aggregator.ts';
import { LATENCY_METRIC, latencySamples } from './latency-metric.ts';
import { type MachineReading, renderMachine } from './machine-metrics.ts';
import { type MetricReading, type MetricRow, takeReading } from './metric-row.ts';
import { METRICS } from './metric-table.ts';
import { PROCESS_AGGREGATORS, processRegistry } from './process-metrics.ts';

/** Metrics of one instance at one moment: plain data, with the samples of each. */
export type MetricsSnapshot = readonly MetricSnapshot[];

interface MetricSnapshot {
  name: string;
  help: string;
  type: string;
  aggregator: AggregatorName;
  values: readonly { value: number; labels: Readonly<Record<string, string | number>>; metricName?: string }[];
}

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

export class GatewayMetrics {
  readonly #context: AdminContext;
  readonly #aggregator: Aggregator;
  readonly #closeRows: readonly CloseRow[];
  /** Of this gateway alone: a process may hold several. */
  readonly #registry = new Registry();
  readonly #processRegistry = processRegistry();
  #reading: MetricReading | undefined;

  /** @param closeRows the close-code table, in the order in which the blocks count */
  constructor(context: AdminContext, aggregator: Aggregator, closeRows: readonly CloseRow[]) {
    this.#context = context;
    this.#aggregator = aggregator;
    this.#closeRows = closeRows;
    const reading = () => this.#currentReading();
    for (const row of METRICS) register(this.#registry, row, reading);
    registerLatency(this.#registry, reading);
  }

  /** All metrics of the gateway, then those of its process. */
  async snapshot(): Promise<MetricsSnapshot> {
    this.#reading = this.#takeReading();
    try {
      const [own, ofProcess] = await Promise.all([
        this.#registry.getMetricsAsJSON(),
        this.#processRegistry.getMetricsAsJSON(),
      ]);
      return ([...own, ...ofProcess] as unknown[] as MetricSnapshot[]).map(snapshotOf);
    } finally {
      this.#reading = undefined;
    }
  }

  #currentReading(): MetricReading {
    return this.#reading ?? this.#takeReading();
  }

  #takeReading(): MetricReading {
    return takeReading(this.#context, this.#aggregator, this.#closeRows);
  }
}

/** Prometheus text: what is so of the machine, then each metric put together from what the instances have. */
export async function renderMetrics(snapshots: readonly MetricsSnapshot[], machine: MachineReading): Promise<string> {
  const together = AggregatorRegistry.aggregate(snapshots.map((metrics) => [...metrics]));
  return `${await renderMachine(machine)}\n${await together.metrics()}`;
}

/** JSON knows neither NaN nor infinity, and one of them would spoil what others have measured. */
function snapshotOf({ name, help, type, aggregator, values }: MetricSnapshot): MetricSnapshot {
  return {
    name,
    help,
    type,
    aggregator: PROCESS_AGGREGATORS[name] ?? aggregator,
    values: values.filter(({ value }) => Number.isFinite(value)),
  };
}

/** The values live in the statistics blocks: prom-client's own are set anew at each scrape. */
function register(registry: Registry, row: MetricRow, reading: () => MetricReading): void {
  const { name, help, type, aggregator } = row;
  const options = { name, help, aggregator, labelNames: [...row.labels], registers: [registry] };
  if (type === 'counter') {
    const counter: Counter = new Counter({
      ...options,
      collect() {
        counter.reset();
        for (const { labels, value } of samplesOf(row, reading())) counter.inc(labels, value);
      },
    });
  } else {
    const gauge: Gauge = new Gauge({
      ...options,
      collect() {
        gauge.reset();
        for (const { labels, value } of samplesOf(row, reading())) gauge.set(labels, value);
      },
    });
  }
}

function samplesOf(row: MetricRow, reading: MetricReading) {
  const samples = row.read(reading);
  return typeof samples === 'number' ? [{ labels: {}, value: samples }] : samples;
}

/**
 * prom-client's histogram counts observations one by one, ours are counted already. A registry asks a metric for its
 * name and for `get()` alone, so this one answers with the finished samples.
 */
function registerLatency(registry: Registry, reading: () => MetricReading): void {
  const { name, help } = LATENCY_METRIC;
  const metric = {
    name,
    help,
    get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: latencySamples(reading().blocks) }),
    reset: () => {},
  };
  registry.registerMetric(metric as unknown as Metric);
}

/**
 * The metrics of one gateway, as Prometheus reads them. Runs on the primary thread. In: the statistics blocks and the
 * primary's own figures, at the moment of the scrape. Out: text in the Prometheus exposition format 0.0.4.
 */
import { Counter, Gauge, type Metric, Registry } from 'prom-client';
import type { AdminContext } from '../admin/admin-context.ts';
import type { CloseRow } from '../connection/close-codes.ts';
import type { Aggregator } from './aggregator.ts';
import { assessHealth } from './health.ts';
import { LATENCY_METRIC, latencySamples } from './latency-metric.ts';
import { type MetricReading, type MetricRow, takeReading } from './metric-row.ts';
import { METRICS } from './metric-table.ts';
import { processRegistry } from './process-metrics.ts';

export class GatewayMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
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
  async render(): Promise<string> {
    this.#reading = this.#takeReading();
    try {
      const [own, ofProcess] = await Promise.all([this.#registry.metrics(), this.#processRegistry.metrics()]);
      return `${own}\n${ofProcess}`;
    } finally {
      this.#reading = undefined;
    }
  }

  #currentReading(): MetricReading {
    return this.#reading ?? this.#takeReading();
  }

  #takeReading(): MetricReading {
    const { status } = assessHealth(this.#context, this.#aggregator);
    return takeReading(this.#context, this.#aggregator, this.#closeRows, status);
  }
}

/** The values live in the statistics blocks: prom-client's own are set anew at each scrape. */
function register(registry: Registry, row: MetricRow, reading: () => MetricReading): void {
  const { name, help, type } = row;
  const options = { name, help, labelNames: [...row.labels], registers: [registry] };
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

import { statSync } from 'node:fs';
import { type Aggregator, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** Twice as coarse as the default: the sampling timer costs an idle process 0.25 % of a core at 10 ms. */
const EVENT_LOOP_SAMPLING_MS = 20;

/**
 * How those of several processes are put together where prom-client's own choice does not do: it omits the start time, and
 * adds up what each process may open at most. The highest start time is that of the last restart.
 */
export const PROCESS_AGGREGATORS: Readonly<Record<string, Aggregator>> = {
  process_start_time_seconds: 'max',
  process_max_fds: 'max',
  // Beside the limit of one process: that of the one which is nearest to it.
  process_open_fds: 'max',
};

let registry: Registry | undefined;

/**
 * prom-client's default metrics under their customary names, so that existing dashboards fit. They are the process's:
 * one registry for all gateways in it, made with the first of them; its observers run from then on.
 */
export function processRegistry(): Registry {
  registry ??= createRegistry();
  return registry;
}

function createRegistry(): Registry {
  const created = new Registry();
  collectDefaultMetrics({ register: created, eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLING_MS });
  replaceOpenFds(created);
  return created;
}

/**
 * The default lists /proc/self/fd: 7 ms of the primary's time with 10,000 connections, at each scrape. Linux 6.2 and
 * later tell the number of entries as the directory's size; before that it is 0 and the metric has no sample.
 */
function replaceOpenFds(created: Registry): void {
  const name = 'process_open_fds';
  if (created.getSingleMetric(name) === undefined) return;
  created.removeSingleMetric(name);
  const gauge: Gauge = new Gauge({
    name,
    help: 'Number of open file descriptors.',
    registers: [created],
    collect() {
      const open = statSync('/proc/self/fd', { throwIfNoEntry: false })?.size ?? 0;
      if (open > 0) gauge.set(open);
      else gauge.remove();
    },
  });
}

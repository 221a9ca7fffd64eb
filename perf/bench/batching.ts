/**
 * Batching: what a shard's CPU and its clients' latency become as the load grows, by how batches are written: adaptive,
 * and fixed windows of several lengths; beside them, where one is named, the least work at the same windows.
 */
import type { BenchmarkResult, BenchmarkSettings, Section } from '../lib/benchmark.ts';
import { type Delivery, type DeliveryLoad, deliveryProblems, measureDelivery } from '../lib/delivery.ts';
import { startFloor, startGateway } from '../lib/server-process.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';
import type { Row } from '../lib/table.ts';

const PAYLOAD_BYTES = 200;
/** What a message of that size has become on the wire, without its header. */
const WIRE_BYTES = 330;
const WINDOWS_MS = [0, 1, 5, 10];

interface Load {
  rate: number;
  load: DeliveryLoad;
}

interface Measured {
  rate: number;
  mode: string;
  delivery: Delivery;
}

export async function batching(settings: BenchmarkSettings): Promise<BenchmarkResult> {
  const sections: Section[] = [];
  const details: Measured[] = [];
  const windows = settings.smoke ? [10] : WINDOWS_MS;
  const loads = loadsOf(settings.smoke);
  for (const { rate, load } of loads) {
    const measured: Measured[] = [{ rate, mode: 'adaptive', delivery: await measureGateway(rate, load, {}) }];
    for (const windowMs of windows) {
      const options = { 'batch.mode': 'fixed', 'batch.maxDelayMs': windowMs };
      measured.push({ rate, mode: `fixed ${windowMs} ms`, delivery: await measureGateway(rate, load, options) });
      if (settings.floor === undefined) continue;
      const { floor } = settings;
      const start = () => startFloor(floor, rate, WIRE_BYTES, windowMs * 1_000);
      const delivery = await measureDelivery(`floor ${windowMs} ms`, start, { ...load, subscribe: 'none' });
      measured.push({ rate, mode: `floor ${windowMs} ms`, delivery });
    }
    details.push(...measured);
    const title = `${load.connections} connections on one topic, ${rate} messages/s`;
    sections.push({ title, rows: measured.map(rowOf) });
  }
  return { sections, details, problems: details.flatMap(({ delivery }) => deliveryProblems(delivery)) };
}

function loadsOf(smoke: boolean): Load[] {
  const times = smoke ? { warmupS: 0.2, seconds: 0.4 } : { warmupS: 1, seconds: 4 };
  const connections = smoke ? 50 : 1_000;
  const rates = smoke ? [200] : [100, 250, 500, 1_000];
  return rates.map((rate) => ({ rate, load: { ...times, connections, subscribe: 'all' } }));
}

function measureGateway(rate: number, load: DeliveryLoad, batch: Record<string, string | number>): Promise<Delivery> {
  const options = { ...simulatorOptions(1, rate, PAYLOAD_BYTES), shards: 1, ...batch };
  return measureDelivery('tickcast', () => startGateway(options), load);
}

function rowOf({ mode, delivery: { report, messagesPerWrite } }: Measured): Row {
  const ms = (us: number) => Number((us / 1000).toFixed(1));
  return {
    batches: mode,
    'deliveries/s': report.deliveriesPerS,
    'msgs/write': messagesPerWrite === undefined ? '' : Number(messagesPerWrite.toFixed(1)),
    'p50 ms': ms(report.latencyUs.p50),
    'p99 ms': ms(report.latencyUs.p99),
    'CPU µs/delivery': report.server?.cpuUsPerDelivery ?? 0,
    'server cores': report.server?.cores ?? 0,
    saturated: report.generator.saturated,
  };
}

/**
 * Latency, from when a publication was due to when a client has it: under a light load, where nothing should wait, and
 * under that of a busy market day: 1,000 clients with 2 of 100 symbols each.
 */
import type { BenchmarkResult, BenchmarkSettings, Section } from '../lib/benchmark.ts';
import {
  type Delivery,
  type DeliveryScenario,
  deliveryProblems,
  deliveryRows,
  measureDelivery,
} from '../lib/delivery.ts';
import { startBaseline, startGateway } from '../lib/server-process.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';

const PAYLOAD_BYTES = 200;

export async function latency(settings: BenchmarkSettings): Promise<BenchmarkResult> {
  const sections: Section[] = [];
  const details: Delivery[] = [];
  for (const { title, symbols, rate, deliveriesPerS, load } of scenarios(settings.smoke)) {
    const gateway = () => startGateway({ ...simulatorOptions(symbols, rate, PAYLOAD_BYTES), shards: 1 });
    const baseline = () => startBaseline({ rate, symbols, payloadBytes: PAYLOAD_BYTES });
    const deliveries = [
      await measureDelivery('tickcast', gateway, load),
      await measureDelivery('plain ws', baseline, load),
    ];
    sections.push({ title, rows: deliveryRows(deliveries, deliveriesPerS) });
    details.push(...deliveries);
  }
  const checked = details.filter(({ server }) => settings.smoke || server === 'tickcast');
  return { sections, details, problems: checked.flatMap(deliveryProblems) };
}

function scenarios(smoke: boolean): DeliveryScenario[] {
  const times = smoke ? { warmupS: 0.2, seconds: 0.5 } : { warmupS: 2, seconds: 10 };
  const [few, many] = smoke ? [10, 50] : [100, 1_000];
  const rate = smoke ? 500 : 2_500;
  return [
    {
      title: `${few} connections on one topic, 100 messages/s`,
      symbols: 1,
      rate: 100,
      deliveriesPerS: few * 100,
      load: { ...times, connections: few, subscribe: 'all', sampleEvery: 1 },
    },
    {
      title: `${many} connections on 2 of 100 topics each, ${rate} messages/s`,
      symbols: 100,
      rate,
      deliveriesPerS: (many * rate * 2) / 100,
      load: {
        ...times,

        connections: many,
        subscribe: 'filter',
        symbols: 100,
        symbolsEach: 2,
        sampleEvery: 4,
      },
    },
  ];
}

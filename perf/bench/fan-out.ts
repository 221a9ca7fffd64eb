/**
 * Fan-out: how many deliveries a shard makes, how late they are and what CPU each costs. Two loads: everybody on one
 * topic, where batches are shared by all, and everybody on 10 of 100, where no two neighbours want the same.
 */
import type { BenchmarkResult, BenchmarkSettings, Section } from '../lib/benchmark.ts';
import { besideRows, besideTitle } from '../lib/beside.ts';
import {
  type Delivery,
  type DeliveryScenario,
  deliveryProblems,
  deliveryRows,
  measureDelivery,
  measureRows,
  median,
} from '../lib/delivery.ts';
import { startBaseline, startFloor, startGateway } from '../lib/server-process.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';

const PAYLOAD_BYTES = 200;
const TICK_MS = 10;
const FLOOR_HEADER_BYTES = 4;
/** A floor slower than this is no longer a fan-out. */
const TICK_US_MAX = 1_000_000;

export async function fanOut(settings: BenchmarkSettings): Promise<BenchmarkResult> {
  const sections: Section[] = [];
  const details: Delivery[] = [];
  const problems: string[] = [];
  for (const scenario of scenarios(settings.smoke)) {
    const rounds = await measure(scenario, settings);
    const deliveries = medians(rounds);
    sections.push({ title: scenario.title, rows: deliveryRows(deliveries, scenario.deliveriesPerS) });
    const measures = measureRows(deliveries);
    if (measures.length > 0) sections.push({ title: 'CPU per delivery, the least work being 1', rows: measures });
    if (settings.beside !== undefined) {
      sections.push({ title: besideTitle(settings.beside, rounds.length), rows: besideRows(rounds) });
    }
    details.push(...deliveries);
    // A plain broadcast cannot serve the full load; that is a figure, not a fault of the benchmark.
    const isOurs = ({ server, besideOf }: Delivery) => server.startsWith('tickcast') || besideOf !== undefined;
    const checked = deliveries.filter((delivery) => settings.smoke || isOurs(delivery));
    problems.push(...checked.flatMap(deliveryProblems));
  }
  return { sections, details, problems };
}

function scenarios(smoke: boolean): DeliveryScenario[] {
  const connections = smoke ? 50 : 1_000;
  const times = smoke ? { warmupS: 0.2, seconds: 0.5 } : { warmupS: 2, seconds: 8 };
  const [one, many] = smoke ? [200, 500] : [1_000, 5_000];
  return [
    {
      title: `${connections} connections on one topic, ${one} messages/s`,
      symbols: 1,
      rate: one,
      deliveriesPerS: connections * one,
      load: { ...times, connections, subscribe: 'all' },
    },
    {
      title: `${connections} connections on 10 of 100 topics each, ${many} messages/s`,
      symbols: 100,
      rate: many,
      deliveriesPerS: (connections * many) / 10,
      load: {
        ...times,
        connections,
        subscribe: 'filter',
        symbols: 100,
        symbolsEach: 10,
      },
    },
  ];
}

/** The servers take turns, so that what else the machine does in a round meets them all. */
async function measure(scenario: DeliveryScenario, settings: BenchmarkSettings): Promise<Delivery[][]> {
  const rounds: Delivery[][] = [];
  for (let round = 0; round < settings.rounds; round++) rounds.push(await measureOnce(scenario, settings, round));
  return rounds;
}

function medians(rounds: readonly Delivery[][]): Delivery[] {
  return (rounds[0] ?? []).map((_, i) => median(rounds.map((round) => round[i] as Delivery)));
}

async function measureOnce(
  scenario: DeliveryScenario,
  settings: BenchmarkSettings,
  round: number,
): Promise<Delivery[]> {
  const { symbols, rate, load } = scenario;
  const besideFirst = round % 2 === 1;
  const gateways = (mode: string, batch: Record<string, string | number>) =>
    measureGateways(mode, batch, scenario, settings.beside, besideFirst);
  const adaptive = await gateways('adaptive', { 'batch.mode': 'adaptive' });
  const fixedOptions = { 'batch.mode': 'fixed', 'batch.maxDelayMs': TICK_MS };
  const fixed = await gateways(`fixed ${TICK_MS} ms`, fixedOptions);
  const ours = [fixed[0] as Delivery, adaptive[0] as Delivery];
  const floors = settings.floor === undefined ? [] : await measureFloors(settings.floor, scenario, ours);
  const baseline = () => startBaseline({ rate, symbols, payloadBytes: PAYLOAD_BYTES });
  return [...adaptive, ...fixed, ...floors, await measureDelivery('plain ws', baseline, load)];
}

/** The gateway of this checkout, and that of another one right after or before it. */
async function measureGateways(
  mode: string,
  batch: Record<string, string | number>,
  { symbols, rate, load }: DeliveryScenario,
  beside: string | undefined,
  besideFirst: boolean,
): Promise<Delivery[]> {
  const options = { ...simulatorOptions(symbols, rate, PAYLOAD_BYTES), shards: 1, ...batch };
  const here = () => measureDelivery(`tickcast ${mode}`, () => startGateway(options), load);
  if (beside === undefined) return [await here()];
  const there = () => measureDelivery(`beside ${mode}`, () => startGateway(options, beside), load);
  const [first, second] = besideFirst ? [there, here] : [here, there];
  const both = [await first(), await second()];
  const [ours, other] = (besideFirst ? both.reverse() : both) as [Delivery, Delivery];
  return [ours, { ...other, besideOf: ours.server }];
}

/**
 * The floor sends everything to everybody, so it gets the rate that one connection sees; its frames have the gateway's
 * size, and its ticks are as long as the gateway's batches turned out.
 */
async function measureFloors(
  program: string,
  scenario: DeliveryScenario,
  gateways: readonly Delivery[],
): Promise<Delivery[]> {
  const { connections = 1 } = scenario.load;
  const rate = scenario.deliveriesPerS / connections;
  const floors: Delivery[] = [];
  for (const { server, report, messagesPerWrite = 1 } of gateways) {
    const windowUs = Math.min(TICK_US_MAX, Math.round((messagesPerWrite / rate) * 1e6));
    const tickUs = server.includes('fixed') ? TICK_MS * 1000 : windowUs;
    const bytes = Math.max(PAYLOAD_BYTES, Math.round(report.bytesPerDelivery) - FLOOR_HEADER_BYTES);
    const label = `floor ${(tickUs / 1000).toFixed(1)} ms (${server.replace('tickcast ', '')})`;
    const start = () => startFloor(program, rate, bytes, tickUs);
    const floor = await measureDelivery(label, start, { ...scenario.load, subscribe: 'none' });
    floors.push({ ...floor, measureOf: server });
  }
  return floors;
}

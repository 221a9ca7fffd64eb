import { type ChartLine, type ChartMark, lineChart } from '../lib/line-chart.ts';
import type { Sample } from './sampler.ts';
import type { SoakRun } from './soak-run.ts';

/** The pictures of a soak: the text of an SVG file, by its name. */
export function plots(run: SoakRun): Record<string, string> {
  const chart = (title: string, yLabel: string, lines: ChartLine[]) =>
    lineChart({ title, xLabel: 'time, minutes', yLabel, lines, marks: marksOf(run) });
  const shards = Array.from({ length: run.options.shards }, (_, shard) => shard);
  return {
    'resident-memory.svg': chart(
      'Resident memory of each instance',
      'MiB',
      linesOf(run, '', ({ residentMib }) => residentMib),
    ),
    'heap.svg': chart('JavaScript heap in use, by thread', 'MiB', [
      ...linesOf(run, ', primary', ({ heapMib }) => heapMib),
      ...shards.flatMap((shard) => linesOf(run, `, shard ${shard}`, (s) => s.shards[shard]?.heapMib, 2 * (shard + 1))),
    ]),
    'loop-delay.svg': chart('Event loop delay, 99th percentile, by thread', 'ms', [
      ...linesOf(run, ', primary', ({ delayP99Ms }) => delayP99Ms),
      ...shards.flatMap((shard) =>
        linesOf(run, `, shard ${shard}`, (s) => s.shards[shard]?.delayP99Ms, 2 * (shard + 1)),
      ),
    ]),
    'descriptors.svg': chart('Open descriptors of each instance', 'descriptors', [
      ...linesOf(run, '', ({ descriptors }) => descriptors),
      ...linesOf(run, ', but for connections', ({ otherDescriptors }) => otherDescriptors, 2),
    ]),
    'clients.svg': chart('Connections of each instance', 'connections', [
      ...linesOf(run, '', ({ connections }) => connections),
      ...linesOf(run, ', behind', ({ behind }) => behind, 2),
    ]),
    'throughput.svg': chart('Deliveries of each instance', 'deliveries/s', [...rateLines(run)]),
  };
}

/** A line for each instance, broken where its process is another one. */
function linesOf(run: SoakRun, what: string, of: (sample: Sample) => number | undefined, colour = 0): ChartLine[] {
  return slotsOf(run).map(([slot, samples]) => ({
    name: `instance ${slot}${what}`,
    colour: colour + slot,
    points: samples.flatMap((sample, n) => {
      const isNew = n > 0 && samples[n - 1]?.pid !== sample.pid;
      const point = { x: sample.atS / 60, y: of(sample) };
      return isNew ? [{ x: point.x, y: undefined }, point] : [point];
    }),
  }));
}

/** Between two samples of one process; its shards' counters outlive them. */
function rateLines(run: SoakRun): ChartLine[] {
  return slotsOf(run).map(([slot, samples]) => ({
    name: `instance ${slot}`,
    colour: slot,
    points: samples.slice(1).map((sample, n) => {
      const before = samples[n] as Sample;
      const rate = (sample.delivered - before.delivered) / (sample.atS - before.atS);
      return { x: sample.atS / 60, y: before.pid === sample.pid ? rate : undefined };
    }),
  }));
}

function slotsOf({ samples }: SoakRun): [slot: number, samples: Sample[]][] {
  return [...Map.groupBy(samples, ({ slot }) => slot)].sort(([a], [b]) => a - b);
}

function marksOf({ disturbances }: SoakRun): ChartMark[] {
  return disturbances.map(({ atS, kind }) => ({ x: atS / 60, kind }));
}

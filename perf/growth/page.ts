import type { ResultDocument } from '../lib/benchmark.ts';
import { msOf, ratioOf, round } from '../lib/figures.ts';
import { lineChart } from '../lib/line-chart.ts';
import { markdownTable } from '../lib/page-tables.ts';
import { provenance, type ResultPage } from '../lib/result-page.ts';
import type { Row } from '../lib/table.ts';
import type { GrowthAxis } from './axes.ts';
import type { GrowthFigures } from './measure.ts';
import { coresBy, fitModel, type Model, TERMS } from './model.ts';
import { CLIENTS, KERNEL_KIB, MACHINE, PACKET_OVERHEAD_BYTES, type Projection, project } from './projection.ts';

/** What the result of the benchmark holds. */
export interface GrowthDetails {
  seconds: number;
  rounds: number;
  axes: { axis: Omit<GrowthAxis, 'points'>; figures: GrowthFigures[] }[];
}

const MESSAGES_PER_S = [1, 10, 50];
const SATURATED_MARK = ' *';

export function axisRows({ axis, figures }: GrowthDetails['axes'][number], model: Model): Row[] {
  return figures.map((one) => ({
    [axis.label]: one.point.x.toLocaleString('en') + (one.saturated ? SATURATED_MARK : ''),
    'publications/s': Math.round(one.publications),
    'deliveries/s': Math.round(one.deliveries),
    'msgs/write': round(ratioOf(one.deliveries, one.writes)),
    'MiB/s': round(one.bytes / 1024 ** 2),
    cores: round(one.cores, 3),
    'CPU µs/delivery': round(eachUs(one.cores, one)),
    'by the model': round(eachUs(coresBy(model, one), one)),
    'p50 ms': msOf(one.p50Us),
    'p99 ms': msOf(one.p99Us),
    'RSS MiB': round(one.residentMib, 0),
    'generator loop, %': round(100 * one.generatorLoop, 0),
  }));
}

export function modelRows(model: Model): Row[] {
  return TERMS.map(({ name }, n) => ({
    'for each': name,
    'CPU µs': round((model.coefficients[n] as number) * 1e6, 3),
    '± µs': round((model.errors[n] as number) * 1e6, 3),
  }));
}

export function projectionRows(projections: readonly Projection[]): Row[] {
  const one = (name: string, of: (projection: Projection) => number): Row => ({
    '': name,
    ...Object.fromEntries(projections.map((each) => [`${each.messagesPerS} messages/s each`, of(each)])),
  });
  return [
    one('messages in a write', (each) => round(each.messagesPerWrite)),
    one('CPU µs a client and second', (each) => round(each.cpuUsPerClientS)),
    one('memory of a client, KiB, kernel included', (each) => round(each.kibPerClient, 1)),
    one('kbit/s a client, packets included', (each) => round(each.kbitPerClient, 1)),
    one('clients a machine, by CPU', (each) => Math.round(each.clientsByCpu)),
    one('clients a machine, by memory', (each) => Math.round(each.clientsByMemory)),
    one('clients a machine, by network', (each) => Math.round(each.clientsByNic)),
    one(`machines for ${CLIENTS.toLocaleString('en')} clients`, (each) => each.machines),
    one('deliveries/s of all', (each) => each.messagesPerS * CLIENTS),
    one('Gbit/s of all', (each) => round((each.kbitPerClient * CLIENTS) / 1e6, 1)),
  ];
}

/** Tables and charts of docs/scaling.md. */
export function growthPage(result: ResultDocument): ResultPage {
  const details = result.details as GrowthDetails;
  const model = modelOf(details);
  const { seconds, rounds } = details;
  const tables = details.axes.map((each) => {
    const name = each.axis.name;
    return [
      `### ${each.axis.title}`,
      each.axis.about,
      markdownTable(axisRows(each, model)),
      `![CPU of a delivery](images/growth-${name}-cpu.svg)`,
      `![Latency](images/growth-${name}-latency.svg)`,
    ].join('\n\n');
  });
  return {
    sections: {
      origin: `${provenance(result)} Each point: ${seconds} s, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.`,
      curves: tables.join('\n\n'),
      model: `${markdownTable(modelRows(model))}\n\n${quality(model)}`,
      projection: `${markdownTable(projectionRows(projections(details, model)))}\n\n${arithmetic(details, model)}`,
    },
    images: Object.fromEntries(details.axes.flatMap((each) => charts(each, model))),
  };
}

export function modelOf({ axes }: GrowthDetails): Model {
  return fitModel(axes.flatMap(({ figures }) => figures));
}

export function projections(details: GrowthDetails, model: Model): Projection[] {
  const { bytes, kib } = eachOf(details);
  return MESSAGES_PER_S.map((rate) => project(model, rate, bytes, kib));
}

/** Bytes of a message and resident memory of a connection, from the axis of connections: between its ends. */
function eachOf({ axes }: GrowthDetails): { bytes: number; kib: number } {
  const figures = axes.find(({ axis }) => axis.name === 'connections')?.figures ?? [];
  const [first, last] = [figures[0], figures.at(-1)];
  if (first === undefined || last === undefined) return { bytes: 0, kib: 0 };
  const kib = ((last.residentMib - first.residentMib) * 1024) / Math.max(1, last.opened - first.opened);
  return { bytes: ratioOf(last.bytes, last.deliveries), kib: Math.max(0, kib) };
}

function quality({ points, rSquared, errorPercent }: Model): string {
  return `Least squares over ${points} points; R² ${round(rSquared, 4)}; half of the points are within ${round(errorPercent, 1)} % of the model. A term at 0 would have come out below it and was left out.`;
}

function arithmetic(details: GrowthDetails, model: Model): string {
  const { bytes, kib } = eachOf(details);
  const [, typical] = projections(details, model) as [Projection, Projection];
  const { messagesPerS, messagesPerWrite, cpuUsPerClientS, kbitPerClient } = typical;
  const writes = messagesPerS / messagesPerWrite;
  const [a, b, c, , e] = model.coefficients.map((each) => round(each * 1e6, 3));
  const kibs = round((messagesPerS * bytes) / 1024, 2);
  return [
    `For ${messagesPerS} messages of ${round(bytes, 0)} bytes a second: CPU ${round(writes)} writes × ${a} + ${messagesPerS} deliveries × ${b} + ${kibs} KiB × ${c} + ${e} = ${round(cpuUsPerClientS)} µs a second;`,
    `memory ${round(kib, 1)} KiB resident, as between the ends of the axis of connections, + ${KERNEL_KIB} KiB assumed for the kernel;`,
    `network (${messagesPerS} × ${round(bytes, 0)} + ${round(writes)} × ${PACKET_OVERHEAD_BYTES}) bytes × 8 = ${round(kbitPerClient, 1)} kbit/s.`,
    `A machine has ${MACHINE.cores} cores, ${MACHINE.memoryGib} GiB and ${MACHINE.nicGbit} Gbit/s, of which ${100 * MACHINE.coresShare}, ${100 * MACHINE.memoryShare} and ${100 * MACHINE.nicShare} % are planned with.`,
  ].join(' ');
}

function charts({ axis, figures }: GrowthDetails['axes'][number], model: Model): [name: string, svg: string][] {
  const line = (of: (one: GrowthFigures) => number) => figures.map((one) => ({ x: one.point.x, y: of(one) }));
  const xScale = axis.name === 'shards' ? ('linear' as const) : ('log' as const);
  const common = { xLabel: axis.label, xScale, yScale: 'log' as const };
  const cpu = lineChart({
    ...common,
    title: `${axis.title}: CPU of a delivery`,
    yLabel: 'µs',
    lines: [
      { name: 'measured', points: line((one) => eachUs(one.cores, one)), isDots: true, colour: 0 },
      { name: 'model', points: line((one) => eachUs(coresBy(model, one), one)), colour: 1 },
    ],
  });
  const latency = lineChart({
    ...common,
    title: `${axis.title}: latency`,
    yLabel: 'ms',
    lines: [
      { name: 'p50', points: line((one) => msOf(one.p50Us)) },
      { name: 'p99', points: line((one) => msOf(one.p99Us)) },
    ],
  });
  return [
    [`growth-${axis.name}-cpu.svg`, cpu],
    [`growth-${axis.name}-latency.svg`, latency],
  ];
}

function eachUs(cores: number, { deliveries }: GrowthFigures): number {
  return deliveries > 0 ? (cores * 1e6) / deliveries : 0;
}

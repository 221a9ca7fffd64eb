/**
 * How cost grows: CPU of a delivery, latency, the size of writes and memory along connections, topics, filters, payload,
 * rate and shards, one at a time from one load; and the model that explains them, fitted over all points.
 */
import { type GrowthAxis, growthAxes, smokeAxes } from '../growth/axes.ts';
import { type GrowthFigures, type GrowthRound, measurePoint, mergeGrowth } from '../growth/measure.ts';
import { axisRows, type GrowthDetails, modelOf, modelRows, projectionRows, projections } from '../growth/page.ts';
import type { BenchmarkResult, BenchmarkSettings } from '../lib/benchmark.ts';

const SECONDS = 4;
const SMOKE_SECONDS = 0.5;

export async function growth(settings: BenchmarkSettings): Promise<BenchmarkResult> {
  const seconds = settings.seconds ?? (settings.smoke ? SMOKE_SECONDS : SECONDS);
  const axes = settings.smoke ? smokeAxes() : growthAxes();
  const rounds = new Map<GrowthAxis, GrowthRound[][]>(axes.map((axis) => [axis, axis.points.map(() => [])]));
  for (let round = 0; round < settings.rounds; round++) {
    for (const axis of axes) {
      for (const [n, point] of axis.points.entries()) {
        rounds.get(axis)?.[n]?.push(await measurePoint(point, seconds));
      }
    }
  }
  const details: GrowthDetails = {
    seconds,
    rounds: settings.rounds,
    axes: axes.map((one) => {
      const { points, ...axis } = one;
      return { axis, figures: points.map((point, n) => mergeGrowth(point, rounds.get(one)?.[n] ?? [])) };
    }),
  };
  const model = modelOf(details);
  const sections = details.axes.map((each) => ({ title: each.axis.title, rows: axisRows(each, model) }));
  sections.push({ title: `The model, R² ${model.rSquared.toFixed(4)}`, rows: modelRows(model) });
  sections.push({ title: 'A million clients, on paper', rows: projectionRows(projections(details, model)) });
  const all = details.axes.flatMap(({ figures }) => figures);
  return { sections, details, problems: all.flatMap(problemsOf) };
}

/** What must hold on any machine. */
function problemsOf({ point, opened, deliveries, writes, closed, orderErrors }: GrowthFigures): string[] {
  const problems: string[] = [];
  const check = (holds: boolean, problem: string) => {
    if (!holds) problems.push(`${point.axis} ${point.x}: ${problem}`);
  };
  check(opened === point.connections, `opened ${opened} of ${point.connections}`);
  check(deliveries > 0 && writes > 0, 'nothing was delivered');
  check(orderErrors === 0, `${orderErrors} messages out of order`);
  check(closed === 0, `${closed} connections closed early`);
  return problems;
}

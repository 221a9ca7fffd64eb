import { round } from '../lib/figures.ts';
import { commonTrend, floorsOf, type Trend, type TrendPoint } from '../lib/trend.ts';
import type { Sample } from './sampler.ts';
import type { SoakRun } from './soak-run.ts';

/** Something that was watched for growth. */
export interface Growth {
  what: string;
  unit: string;
  /** Undefined where the time was too short to say. */
  trend: Trend | undefined;
  /** So much over the longest life is not called growth. */
  allowed: number;
  hasGrown: boolean;
}

type LifeOf = (sample: Sample) => string;
type ValueOf = (sample: Sample) => number | undefined;

const OTHER_DESCRIPTORS = 'number of descriptors without connections';
/** Of the whole time: the lowest value of each such piece counts. */
const FLOOR_SHARE = 0.05;
/** How something is watched. */
interface Watch {
  /** Of the whole time: as long as the beginning of each life is left out; and how long at least. */
  warmUpShare: number;
  warmUpSMin: number;
  /** Share of the level, and amount, by which it may be more at the end of a life. */
  shareAllowed: number;
  amountAllowed: number;
}

const WARM_UP_S_MAX = 300;
/** For its first minutes V8 makes its heaps larger; what it keeps in reserve comes and goes after that. */
const RESIDENT: Watch = { warmUpShare: 0.3, warmUpSMin: 180, shareAllowed: 0.1, amountAllowed: 3 };
const HEAP: Watch = { warmUpShare: 0.1, warmUpSMin: 15, shareAllowed: 0.05, amountAllowed: 3 };
const DESCRIPTORS: Watch = { warmUpShare: 0.1, warmUpSMin: 15, shareAllowed: 0, amountAllowed: 4 };
const HOUR_S = 3_600;

/** Memory and descriptors, over the lives of processes and threads without their beginnings. */
export function growths(run: SoakRun): Growth[] {
  const shards = Array.from({ length: run.options.shards }, (_, shard) => shard);
  const heapOf = (shard: number) => (sample: Sample) => sample.shards[shard]?.heapMib;
  const lifeOf = (shard: number) => (sample: Sample) => `${sample.pid}/${sample.shards[shard]?.restarts}`;
  const byProcess = ({ pid }: Sample) => String(pid);
  const watch = (what: string, unit: string, how: Watch, life: LifeOf, of: ValueOf) =>
    judged(what, unit, how, trendOf(run, how, life, of));
  return [
    watch('resident memory', 'MiB', RESIDENT, byProcess, ({ residentMib }) => residentMib),
    watch('heap of the primary', 'MiB', HEAP, byProcess, ({ heapMib }) => heapMib),
    ...shards.map((shard) => watch(`heap of shard ${shard}`, 'MiB', HEAP, lifeOf(shard), heapOf(shard))),
    watch(OTHER_DESCRIPTORS, '', DESCRIPTORS, byProcess, ({ otherDescriptors }) => otherDescriptors),
  ];
}

/** Why the soak has failed; empty where it has not. */
export function failures(run: SoakRun): string[] {
  const { totals, problems, disturbances } = run;
  const { account } = totals;
  const found = [...problems, ...totals.problems.list()];
  if (totals.unaccounted !== 0) found.push(`publications owed and not accounted for: ${totals.unaccounted}`);
  if (account.delivered === 0) found.push('nothing was delivered');
  if (totals.ledgers === 0) found.push('no gateway was asked for its account');
  if (disturbances.length > 0 && account.resumptions === 0) found.push('nobody has resumed');
  if (run.feedsCut > 0) found.push(`${run.feedsCut} times a gateway did not read what was published`);
  for (const { what, unit, trend, hasGrown } of growths(run)) {
    if (hasGrown && trend !== undefined) found.push(`${what} grows by ${rateText(trend, unit)}`);
  }
  return [...found, ...leftDescriptors(run)];
}

/** Slope and the half of its interval of 95 %. */
export function rateText({ perHour, marginPerHour }: Trend, unit: string): string {
  return `${signed(perHour)} ± ${round(marginPerHour, 1)}${unit === '' ? '' : ` ${unit}`} an hour`;
}

/** The first process of an instance when no client had come, and its last when all have gone. */
function leftDescriptors({ idle }: SoakRun): string[] {
  return idle.after.flatMap(({ slot, otherDescriptors }) => {
    const before = idle.before.find((sample) => sample.slot === slot)?.otherDescriptors;
    if (before === undefined || otherDescriptors <= before + DESCRIPTORS.amountAllowed) return [];
    return [
      `instance ${slot} had ${before} descriptors before the first client, and has ${otherDescriptors} behind the last`,
    ];
  });
}

/** Growth is what even the lower end of the interval makes more than is allowed, over the longest life that was seen. */
function judged(what: string, unit: string, { shareAllowed, amountAllowed }: Watch, trend: Trend | undefined): Growth {
  if (trend === undefined) return { what, unit, trend, allowed: 0, hasGrown: false };
  const allowed = amountAllowed + shareAllowed * trend.level;
  const leastPerHour = trend.perHour - trend.marginPerHour;
  return { what, unit, trend, allowed, hasGrown: (leastPerHour * trend.secondsMax) / HOUR_S > allowed };
}

function trendOf(run: SoakRun, watch: Watch, lifeOf: LifeOf, of: ValueOf): Trend | undefined {
  const totalS = run.options.minutes * 60;
  const skippedS = Math.min(WARM_UP_S_MAX, Math.max(watch.warmUpSMin, totalS * watch.warmUpShare));
  const lives = Map.groupBy(run.samples, lifeOf);
  const stretches = [...lives.values()].map((samples) => {
    const fromS = (samples[0] as Sample).atS + skippedS;
    const points = samples.flatMap((sample): TrendPoint[] => {
      const value = of(sample);
      return sample.atS < fromS || value === undefined ? [] : [{ atS: sample.atS, value }];
    });
    return floorsOf(points, totalS * FLOOR_SHARE);
  });
  return commonTrend(stretches);
}

function signed(value: number): string {
  const text = String(round(value, 1));
  return value > 0 ? `+${text}` : text;
}

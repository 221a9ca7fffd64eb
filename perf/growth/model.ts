import { medianOf } from '../lib/figures.ts';
import { type Fit, fitNonNegative } from '../lib/least-squares.ts';
import type { GrowthFigures } from './measure.ts';

/** A term of the model: CPU time for each of something. */
export interface Term {
  /** Of what. */
  name: string;
  /** How many of it there are in a second. */
  of(figures: Pick<GrowthFigures, 'writes' | 'deliveries' | 'bytes' | 'publications' | 'point'>): number;
}

/** CPU, in cores, is the sum of these, each times its coefficient. */
export const TERMS: readonly Term[] = [
  { name: 'write', of: ({ writes }) => writes },
  { name: 'delivery', of: ({ deliveries }) => deliveries },
  { name: 'KiB delivered', of: ({ bytes }) => bytes / 1024 },
  { name: 'publication and shard', of: ({ publications, point }) => publications * point.shards },
  { name: 'connection and second', of: ({ point }) => point.connections },
  { name: 'shard and second', of: ({ point }) => point.shards },
];

/** What the clock of the kernel tells apart in a measurement of a few seconds, in cores. */
const CORES_NOISE = 0.01;
/** A measurement is no better than this part of itself. */
const RELATIVE_NOISE = 0.1;

export interface Model extends Fit {
  points: number;
  /** Half of the points are fitted better than by this, in per cent of what was measured. */
  errorPercent: number;
}

/** Points whose generator was the limit say nothing of the gateway, and are left out. */
export function fitModel(all: readonly GrowthFigures[]): Model {
  const used = all.filter(({ saturated, cores }) => !saturated && cores > 0);
  const rows = used.map((figures) => TERMS.map((term) => term.of(figures)));
  const weights = used.map(({ cores }) => 1 / (CORES_NOISE + RELATIVE_NOISE * cores) ** 2);
  const fit = fitNonNegative(
    rows,
    used.map(({ cores }) => cores),
    weights,
  );
  const errors = used.map((figures) => (100 * Math.abs(coresBy(fit, figures) - figures.cores)) / figures.cores);
  return { ...fit, points: used.length, errorPercent: medianOf(errors) };
}

/** What the model says that this takes, in cores. */
export function coresBy({ coefficients }: Pick<Fit, 'coefficients'>, figures: Parameters<Term['of']>[0]): number {
  return TERMS.reduce((sum, term, n) => sum + (coefficients[n] as number) * term.of(figures), 0);
}

import type { Machine } from './machine.ts';
import type { Row } from './table.ts';

/** How a benchmark is to run. */
export interface BenchmarkSettings {
  /** Small sizes, a second or so each: proves that the benchmark works, its figures mean nothing. */
  smoke: boolean;
  /** Program to measure CPU against; see `startFloor`. */
  floor: string | undefined;
  /** Another checkout of this project, to compare with what was before a change. */
  beside: string | undefined;
  /** Where recordings of exchanges are; without it, the small ones of the tests. */
  recordings: string | undefined;
  /** Measured time of each point, for the benchmarks that say so; undefined: what they come with. */
  seconds: number | undefined;
  /** How often each measurement is taken; the one in the middle counts. */
  rounds: number;
}

export interface Section {
  title: string;
  rows: Row[];
}

export interface BenchmarkResult {
  sections: Section[];
  /** Everything that was measured, as it came; for the JSON file. */
  details: unknown;
  /** What must hold whatever the machine, and did not. Empty: all is well. */
  problems: string[];
}

/** What `perf/results/NAME.json` holds. */
export interface ResultDocument extends BenchmarkResult {
  benchmark: string;
  command: string;
  date: string;
  commit: string;
  machine: Machine;
}

export type Benchmark = (settings: BenchmarkSettings) => Promise<BenchmarkResult>;

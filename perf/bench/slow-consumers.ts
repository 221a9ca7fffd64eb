/**
 * Slow consumers: what clients that never read cost those that do, and what they cost in memory. All of them are on
 * topics that may not be merged, where most has to be kept or dropped.
 */
import type { BenchmarkResult, BenchmarkSettings } from '../lib/benchmark.ts';
import { stalledMemory } from './stalled-memory.ts';
import { stalledReaders } from './stalled-readers.ts';

export async function slowConsumers(settings: BenchmarkSettings): Promise<BenchmarkResult> {
  const readers = await stalledReaders(settings);
  const memory = await stalledMemory(settings);
  return {
    sections: [...readers.sections, ...memory.sections],
    details: { readers: readers.details, memory: memory.details },
    problems: [...readers.problems, ...memory.problems],
  };
}

import type { BenchmarkResult } from '../lib/benchmark.ts';

export async function growth(): Promise<BenchmarkResult> {
  return { sections: [], details: {}, problems: [] };
}

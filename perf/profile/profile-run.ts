import { runLoad } from '../lib/load-process.ts';
import { isHealthy } from '../lib/server-process.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';
import type { LoadReport } from '../load/load-report.ts';
import type { LoadMarks } from '../load/load-run.ts';
import type { ProfileLoad } from './profile-options.ts';

const PAYLOAD_BYTES = 200;

/** Options of the gateway under the profiler. */
export function profiledOptions({ topics, rate, shards }: ProfileLoad): Record<string, string | number> {
  return { ...simulatorOptions(topics, rate, PAYLOAD_BYTES), shards };
}

/** Loads the gateway on `port`. */
export function runProfileLoad(port: number, load: ProfileLoad, marks: LoadMarks = {}): Promise<LoadReport> {
  const { connections, seconds, topics, topicsEach } = load;
  return runLoad(
    { port, connections, seconds, subscribe: 'filter', symbols: topics, symbolsEach: Math.min(topicsEach, topics) },
    marks,
  );
}

/** Says what must hold behind a profile: everybody came in and got something, and the gateway has let go of its port. */
export async function profileProblems(port: number, { opened, asked, deliveries }: LoadReport): Promise<string[]> {
  const problems: string[] = [];
  if (opened < asked) problems.push(`only ${opened} of ${asked} connections opened`);
  if (deliveries === 0) problems.push('nothing was delivered');
  if (await isHealthy(port)) problems.push(`the gateway still answers on port ${port}`);
  return problems;
}

/** Prints them on standard error. @returns the exit status */
export function statusOf(problems: readonly string[]): number {
  for (const problem of problems) console.error(`FAILED ${problem}`);
  return problems.length > 0 ? 1 : 0;
}

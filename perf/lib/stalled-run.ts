import type { LoadReport } from '../load/load-report.ts';
import type { DeliveryLoad } from './delivery.ts';
import { readApi, type SlowFigures, slowFigures } from './gateway-metrics.ts';
import { runLoad } from './load-process.ts';
import { type MemorySample, type MemorySummary, MemoryWatch, summariseMemory } from './memory-watch.ts';
import { processUsage } from './process-usage.ts';
import { startGateway } from './server-process.ts';

/** One run of the gateway with connections that do not read. */
export interface StalledRun {
  report: LoadReport;
  /** What the gateway says when counting ends, before the stalled ones read at last. */
  figures: SlowFigures;
  /** Its answers then, for the JSON file. */
  answers: { stats: unknown; health: unknown };
  /** Resident memory before the first connection, MiB. */
  beforeMib: number;
  /** While it was counted. */
  memory: MemorySummary;
  samples: MemorySample[];
}

/**
 * Starts the gateway, loads it while its memory is watched, asks it for its figures, stops it.
 * @param lookMs time between two looks at its memory
 */
export async function runStalled(
  options: Record<string, string | number>,
  load: DeliveryLoad,
  lookMs: number,
): Promise<StalledRun> {
  const { port, pid, stop } = await startGateway(options);
  const beforeMib = processUsage([pid]).residentMib;
  let watch: MemoryWatch | undefined;
  let asked: ReturnType<typeof ask> | undefined;
  try {
    const report = await runLoad(
      { ...load, port, pids: [pid] },
      {
        onStart: () => {
          watch = new MemoryWatch(pid, lookMs);
        },
        onEnd: () => {
          watch?.look();
          watch?.stop();
          asked = ask(port);
        },
      },
    );
    const samples = watch?.samples ?? [];
    const answer = await asked;
    if (answer === undefined) throw new Error('the load generator ended before it had counted');
    if (answer instanceof Error) throw answer;
    return { report, ...answer, beforeMib, memory: summariseMemory(samples), samples };
  } finally {
    watch?.stop();
    await stop();
  }
}

/** Nobody waits for the answer before the run is over, so a failure is returned. */
async function ask(port: number): Promise<Pick<StalledRun, 'figures' | 'answers'> | Error> {
  try {
    const metrics = await readApi(port, 'metrics');
    const [stats, health] = [JSON.parse(await readApi(port, 'stats')), JSON.parse(await readApi(port, 'health'))];
    return { figures: slowFigures(metrics), answers: { stats, health } };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

import { type ChildProcess, fork } from 'node:child_process';
import { setPriority } from 'node:os';
import { type ProcessUsage, processUsage } from '../lib/process-usage.ts';
import type { FromGenerator, ToGenerator } from './generator-messages.ts';
import type { LoadOptions } from './load-options.ts';
import { type LoadPart, type LoadReport, mergeParts, mergeWires, serverUsage } from './load-report.ts';
import { type LoadMarks, LoadRun } from './load-run.ts';

/** What a run may take beyond its own times before its processes are killed. */
const GRACE_MS = 30_000;

/**
 * Loads a server and reports. With one process it runs in this one; with several they begin to count when all
 * connections of all of them are open. `marks` are called once, by the first process to begin and the first to end.
 */
export async function load(options: LoadOptions, marks: LoadMarks = {}): Promise<LoadReport> {
  if (options.niceness > 0) setPriority(options.niceness);
  const meter = new ServerMeter(options.pids, marks);
  const parts = options.processes === 1 ? [await runHere(options, meter)] : await runProcesses(options, meter);
  const report: LoadReport = mergeParts(options.connections, parts);
  if (options.buckets === 1) report.latency = mergeWires(parts.map(({ latency }) => latency));
  if (options.pids.length > 0) report.server = meter.report(report);
  return report;
}

/** Reads the server's usage when the first generator starts and when the first ends. */
class ServerMeter {
  readonly #pids: readonly number[];
  readonly #marks: LoadMarks;
  #before: ProcessUsage | undefined;
  #after: ProcessUsage | undefined;

  constructor(pids: readonly number[], marks: LoadMarks) {
    this.#pids = pids;
    this.#marks = marks;
  }

  start(): void {
    if (this.#before !== undefined) return;
    this.#before = processUsage(this.#pids);
    this.#marks.onStart?.();
  }

  end(): void {
    if (this.#after !== undefined) return;
    this.#after = processUsage(this.#pids);
    this.#marks.onEnd?.();
  }

  report(of: { seconds: number; deliveries: number }): NonNullable<LoadReport['server']> {
    const none = { cpuSeconds: 0, residentMib: 0 };
    return serverUsage(this.#before ?? none, this.#after ?? none, of.seconds, of.deliveries);
  }
}

function runHere(options: LoadOptions, meter: ServerMeter): Promise<LoadPart> {
  return new LoadRun(options).run(undefined, { onStart: () => meter.start(), onEnd: () => meter.end() });
}

async function runProcesses(options: LoadOptions, meter: ServerMeter): Promise<LoadPart[]> {
  const generators = Array.from({ length: options.processes }, () => fork(new URL('./generator.ts', import.meta.url)));
  const timeoutMs = (options.connectTimeoutS + options.warmupS + options.seconds + options.drainS) * 1000 + GRACE_MS;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the generators have not ended after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([coordinate(options, generators, meter), late]);
  } finally {
    clearTimeout(timer);
    for (const generator of generators) generator.kill('SIGKILL');
  }
}

function coordinate(options: LoadOptions, generators: ChildProcess[], meter: ServerMeter): Promise<LoadPart[]> {
  let settled = 0;
  const parts = generators.map((generator, first) => {
    const part = Promise.withResolvers<LoadPart>();
    generator.on('error', part.reject);
    generator.on('exit', (code, signal) => part.reject(new Error(`a generator ended early: ${signal ?? code}`)));
    generator.on('message', (message: FromGenerator) => {
      if (message.kind === 'started') meter.start();
      if (message.kind === 'ended') meter.end();
      if (message.kind === 'part') part.resolve(message.part);
      if (message.kind === 'settled' && ++settled === generators.length) {
        for (const one of generators) one.send({ kind: 'go' } satisfies ToGenerator);
      }
    });
    generator.send({ kind: 'run', options, first, step: generators.length } satisfies ToGenerator);
    return part.promise;
  });
  return Promise.all(parts);
}

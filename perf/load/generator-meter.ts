import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { GeneratorPart } from './load-report.ts';

const LOOP_DELAY_RESOLUTION_MS = 10;

/** What this process itself uses from the moment the meter is made: whether it can keep up decides what its figures mean. */
export class GeneratorMeter {
  readonly #delays = monitorEventLoopDelay({ resolution: LOOP_DELAY_RESOLUTION_MS });
  readonly #cpuBefore = process.cpuUsage();
  readonly #loopBefore = performance.eventLoopUtilization();
  readonly #begunMs = performance.now();

  constructor() {
    this.#delays.enable();
  }

  stop(): { seconds: number; generator: GeneratorPart } {
    const seconds = (performance.now() - this.#begunMs) / 1000;
    this.#delays.disable();
    const cpu = process.cpuUsage(this.#cpuBefore);
    // The monitor's figures hold its own timer's interval.
    const excess = (ns: number) => Math.max(0, ns / 1e6 - LOOP_DELAY_RESOLUTION_MS);
    return {
      seconds,
      generator: {
        cores: (cpu.user + cpu.system) / 1e6 / seconds,
        loopUtilization: performance.eventLoopUtilization(this.#loopBefore).utilization,
        loopDelayP99Ms: excess(this.#delays.percentile(99)),
        loopDelayMaxMs: excess(this.#delays.max),
        residentMib: process.memoryUsage.rss() / 1024 ** 2,
      },
    };
  }
}

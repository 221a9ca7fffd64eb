import { processUsage, socketMemoryMib } from './process-usage.ts';

export interface MemorySample {
  /** Seconds since the watch began. */
  atS: number;
  residentMib: number;
  /** What the kernel holds for the sockets of the whole machine. */
  socketsMib: number;
}

/** Looks at a process's memory at even intervals until it is stopped. */
export class MemoryWatch {
  readonly samples: MemorySample[] = [];
  readonly #pid: number;
  readonly #begunMs = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number, intervalMs: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.look(), intervalMs);
    this.look();
  }

  /** Takes a sample now, beside those of the interval. */
  look(): MemorySample {
    const { residentMib } = processUsage([this.#pid]);
    const sample = { atS: (performance.now() - this.#begunMs) / 1000, residentMib, socketsMib: socketMemoryMib() };
    this.samples.push(sample);
    return sample;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

export interface MemorySummary {
  startMib: number;
  maxMib: number;
  endMib: number;
  /** Growth in the second half of the time, by least squares over its samples. */
  mibPerS: number;
  socketsMaxMib: number;
}

/** @param samples in the order of time */
export function summariseMemory(samples: readonly MemorySample[]): MemorySummary {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined) {
    return { startMib: 0, maxMib: 0, endMib: 0, mibPerS: 0, socketsMaxMib: 0 };
  }
  const halfS = (first.atS + last.atS) / 2;
  return {
    startMib: first.residentMib,
    maxMib: Math.max(...samples.map(({ residentMib }) => residentMib)),
    endMib: last.residentMib,
    mibPerS: slope(samples.filter(({ atS }) => atS >= halfS).map(({ atS, residentMib }) => [atS, residentMib])),
    socketsMaxMib: Math.max(...samples.map(({ socketsMib }) => socketsMib)),
  };
}

/** Of the straight line that fits the points best; 0 where there is none. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const meanX = mean(([x]) => x);
  const meanY = mean(([, y]) => y);
  const spread = mean(([x]) => (x - meanX) ** 2);
  return spread > 0 ? mean(([x, y]) => (x - meanX) * (y - meanY)) / spread : 0;
}

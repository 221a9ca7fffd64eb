import { type Instruments, PROCESS_INSTRUMENTS } from '../telemetry/instruments.ts';
import type { Logger } from '../telemetry/logger.ts';
import {
  PRESSURE_STEPS,
  type PressureStage,
  type PressureState,
  type PressureStep,
  STAGE_OF,
} from '../telemetry/pressure-stages.ts';
import { collectGarbage } from '../util/collect-garbage.ts';

export interface MemoryPressureParts {
  /** `memory.thresholdMb`, MiB; 0: nothing is ever done. */
  thresholdMb: number;
  checkIntervalMs: number;
  /** Tells all shards what is in force. The same stage twice: what can be done again is done again. */
  tell: (stage: PressureStage) => void;
  /** What else a line of the log says. */
  figures: () => Record<string, unknown>;
  log: Logger;
  instruments?: Pick<Instruments, 'rssBytes' | 'steadyMs'>;
  /** Collects this thread's garbage. */
  collect?: () => void;
  /** Calls `work` each `ms` until the function that it returns is called. */
  every?: (ms: number, work: () => void) => () => void;
}

/** It is over when less than this share of the threshold is in use: closer to it, it would soon begin again. */
const RELEASE_SHARE = 0.8;
const MIB = 1024 * 1024;

/**
 * Keeps the process from growing for ever: while its resident memory is over the threshold each check goes one step
 * further, see PRESSURE_STEPS. Runs on the primary; the steps are taken by the shards, whose the memory mostly is.
 */
export class MemoryPressure {
  readonly #parts: MemoryPressureParts;
  readonly #instruments: Pick<Instruments, 'rssBytes' | 'steadyMs'>;
  readonly #steps = Object.fromEntries(PRESSURE_STEPS.map((step) => [step, 0])) as Record<PressureStep, number>;
  #stage: PressureStage = 0;
  #sinceMs = 0;
  #cancel: (() => void) | undefined;

  constructor(parts: MemoryPressureParts) {
    this.#parts = parts;
    this.#instruments = parts.instruments ?? PROCESS_INSTRUMENTS;
  }

  get state(): PressureState {
    return { stage: this.#stage, steps: { ...this.#steps } };
  }

  start(): void {
    const { thresholdMb, checkIntervalMs, every = everyInterval } = this.#parts;
    if (thresholdMb === 0 || this.#cancel !== undefined) return;
    this.#cancel = every(checkIntervalMs, () => this.check());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Called each `checkIntervalMs`. */
  check(): void {
    const rssMb = this.#instruments.rssBytes() / MIB;
    const { thresholdMb } = this.#parts;
    if (rssMb > thresholdMb) this.#goOn(rssMb);
    else if (this.#stage > 0 && rssMb < RELEASE_SHARE * thresholdMb) this.#release(rssMb);
  }

  #goOn(rssMb: number): void {
    const { tell, collect = collectGarbage } = this.#parts;
    const before = this.#stage;
    if (before === 0) this.#sinceMs = this.#instruments.steadyMs();
    const next = PRESSURE_STEPS.at(before);
    if (next !== undefined) {
      this.#stage = STAGE_OF[next];
      this.#count(next, rssMb);
    }
    // New ones may have become slow since the last check.
    if (before >= STAGE_OF.shed) this.#count('shed', rssMb);
    if (next === 'trim') collect();
    tell(this.#stage);
  }

  #count(step: PressureStep, rssMb: number): void {
    this.#steps[step]++;
    this.#parts.log.warn(this.#fields(rssMb), `WebSocket memory pressure: ${WHAT_IS_DONE[step]}`);
  }

  #release(rssMb: number): void {
    const { log, tell } = this.#parts;
    const lastedMs = Math.round(this.#instruments.steadyMs() - this.#sinceMs);
    log.info({ lastedMs, ...this.#fields(rssMb) }, 'WebSocket memory pressure: over');
    this.#stage = 0;
    tell(0);
  }

  #fields(rssMb: number): Record<string, unknown> {
    const { thresholdMb, figures } = this.#parts;
    return { stage: this.#stage, memoryMb: Math.round(rssMb * 10) / 10, thresholdMb, ...figures() };
  }
}

const WHAT_IS_DONE: Readonly<Record<PressureStep, string>> = {
  trim: 'batches written out, spare memory given back',
  conflate: 'less may wait for slow connections',
  shed: 'the slowest connections are closed',
  refuse: 'new connections are refused',
};

function everyInterval(ms: number, work: () => void): () => void {
  const timer = setInterval(work, ms).unref();
  return () => clearInterval(timer);
}

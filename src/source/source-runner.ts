import type { Publication } from '../dataflow/publication.ts';
import type { PublicationText } from '../dataflow/publication-text.ts';
import type { SourceNumber } from '../dataflow/source-number.ts';
import type { Logger } from '../telemetry/logger.ts';
import { nowMs, nowUs } from '../util/clock.ts';
import { errorMessage, TickcastError } from '../util/errors.ts';
import { RejectLog } from './reject-log.ts';
import type { Source, SourceSink, SourceState, SourceStatus, TextSink } from './source.ts';

/** A source that has gone on for this long after its first publication is taken to be well again, ms. */
const WELL_AFTER_MS = 10_000;

/** A source that has not stopped by then is left to itself, ms. */
const STOP_TIMEOUT_MS = 3_000;

export interface SourceRunnerOptions {
  /** Where publications go. Never throws. @param dueUs µs since the epoch */
  publish(publication: Publication, dueUs: number, number: SourceNumber | undefined): unknown;
  /** As `publish`, of what the text says. */
  publishText(text: PublicationText, dueUs: number, number: SourceNumber | undefined): unknown;
  takesTexts(): boolean;
  congested(): boolean;
  logger: Logger;
  /** Pause before the first restart; doubles with each failure. */
  restartDelayMs: number;
  restartDelayMaxMs: number;
}

/**
 * What it is: the keeper of one source. Thread: the primary. In: what the source publishes. Out: the same, to DataFlow.
 *
 *     idle → starting → active → ended
 *                │         │
 *                └→ failed ←┘   → (pause) → starting …        any → stopped
 *
 * Each start has a sink of its own, which goes dead when the source fails, ends or is stopped: a source that publishes after
 * that reaches nobody.
 */
export class SourceRunner {
  readonly #source: Source;
  readonly #options: SourceRunnerOptions;
  readonly #rejects: RejectLog;
  #status: SourceStatus = 'idle';
  #sink: RunnerSink | undefined;
  #failures = 0;
  #restarts = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;
  #lastError: { message: string; timestamp: number } | undefined;

  constructor(source: Source, options: SourceRunnerOptions) {
    this.#source = source;
    this.#options = options;
    this.#rejects = new RejectLog(source.name, options.logger);
  }

  /**
   * Starts the source, and again whenever it fails. Errors go to the log and the state. Resolves when the first start has
   * succeeded or failed. @throws when not idle or stopped
   */
  start(): Promise<void> {
    if (this.#status !== 'idle' && this.#status !== 'stopped') {
      throw new TickcastError('INVALID_STATE', `The source ${this.#source.name} has been started already`);
    }
    this.#stopping = undefined;
    this.#failures = 0;
    return this.#begin();
  }

  /** Stops for good, within some seconds even if the source does not; nothing is published from this call on. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** The source's own figures, with the status and the last error as the runner sees them. */
  getState(): SourceState & { restarts: number } {
    const state = { ...this.#source.getState(), status: this.#status, restarts: this.#restarts };
    if (this.#lastError !== undefined) state.lastError = this.#lastError;
    return state;
  }

  async #begin(): Promise<void> {
    const sink = new RunnerSink(this.#options, {
      reject: (problem) => this.#rejects.add(problem),
      ended: () => this.#ended(sink),
      failed: (error) => this.#failed(sink, error),
    });
    this.#sink = sink;
    this.#status = 'starting';
    try {
      await this.#source.start(sink);
    } catch (thrown) {
      this.#failed(sink, thrown);
      return;
    }
    if (!sink.live) return;
    this.#status = 'active';
    this.#options.logger.info({ source: this.#source.name }, 'Source started');
  }

  #ended(sink: RunnerSink): void {
    if (!sink.close()) return;
    this.#status = 'ended';
    this.#rejects.close();
    const { published, rejected } = this.#source.getState();
    this.#options.logger.info({ source: this.#source.name, published, rejected }, 'Source ended');
    void this.#stopSource();
  }

  #failed(sink: RunnerSink, thrown: unknown): void {
    if (!sink.close()) return;
    this.#status = 'failed';
    this.#lastError = { message: errorMessage(thrown), timestamp: nowMs() };
    if (sink.publishedForMs() >= WELL_AFTER_MS) this.#failures = 0;
    const { restartDelayMs, restartDelayMaxMs } = this.#options;
    const delayMs = Math.min(restartDelayMaxMs, restartDelayMs * 2 ** this.#failures++);
    this.#options.logger.error({ source: this.#source.name, err: thrown, restartInMs: delayMs }, 'Source failed');
    void this.#stopSource().then(() => this.#restartIn(delayMs));
  }

  #restartIn(delayMs: number): void {
    if (this.#status !== 'failed') return; // stopped in the meantime
    this.#restartTimer = setTimeout(() => {
      this.#restarts++;
      void this.#begin();
    }, delayMs);
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#restartTimer);
    const began = this.#status !== 'idle';
    this.#status = 'stopped';
    this.#sink?.close();
    this.#rejects.close();
    if (began) await this.#stopSource();
  }

  /** Never rejects, and takes `STOP_TIMEOUT_MS` at most. */
  async #stopSource(): Promise<void> {
    const { promise: timedOut, resolve } = Promise.withResolvers<'timedOut'>();
    const timer = setTimeout(() => resolve('timedOut'), STOP_TIMEOUT_MS);
    const fields = { source: this.#source.name };
    try {
      const outcome = await Promise.race([this.#source.stop(), timedOut]);
      if (outcome === 'timedOut') this.#options.logger.warn(fields, 'Source did not stop in time');
    } catch (thrown) {
      this.#options.logger.warn({ ...fields, err: thrown }, 'Source stop failed');
    } finally {
      clearTimeout(timer);
    }
  }
}

type Reports = Pick<SourceSink, 'reject' | 'ended' | 'failed'>;

/** The sink of one start. */
class RunnerSink implements SourceSink, TextSink {
  readonly #options: SourceRunnerOptions;
  readonly #reports: Reports;
  #live = true;
  #firstPublicationMs = 0;

  constructor(options: SourceRunnerOptions, reports: Reports) {
    this.#options = options;
    this.#reports = reports;
  }

  get live(): boolean {
    return this.#live;
  }

  /** Nothing passes any more. Returns false when that was so already. */
  close(): boolean {
    const live = this.#live;
    this.#live = false;
    return live;
  }

  /** Time since the first publication, ms; 0 where there was none. */
  publishedForMs(): number {
    return this.#firstPublicationMs === 0 ? 0 : performance.now() - this.#firstPublicationMs;
  }

  publish(publication: Publication, dueUs?: number, number?: SourceNumber): void {
    if (!this.#live) return;
    this.#published();
    this.#options.publish(publication, dueUs ?? nowUs(), number);
  }

  publishText(text: PublicationText, dueUs?: number, number?: SourceNumber): void {
    if (!this.#live) return;
    this.#published();
    this.#options.publishText(text, dueUs ?? nowUs(), number);
  }

  takesTexts(): boolean {
    return this.#options.takesTexts();
  }

  congested(): boolean {
    return this.#options.congested();
  }

  reject(problem: { code: string; message: string; detail?: Record<string, unknown> }): void {
    if (this.#live) this.#reports.reject(problem);
  }

  ended(): void {
    this.#reports.ended();
  }

  failed(error: Error): void {
    this.#reports.failed(error);
  }

  #published(): void {
    if (this.#firstPublicationMs === 0) this.#firstPublicationMs = performance.now();
  }
}

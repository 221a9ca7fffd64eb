import type { Source, SourceState } from './source.ts';
import { SourceRunner, type SourceRunnerOptions } from './source-runner.ts';

export interface SourceSetOptions extends Omit<SourceRunnerOptions, 'publish'> {
  /** @param source name of the one that it comes from; for the others see SourceRunnerOptions */
  publish(source: string, ...publication: Parameters<SourceRunnerOptions['publish']>): unknown;
}

/** How long a start waits, ms. */
const START_MS = 2_000;

/** The sources of a gateway, each kept running. Thread: the primary. */
export class SourceSet {
  readonly #runners: SourceRunner[];

  constructor(sources: readonly Source[], options: SourceSetOptions) {
    this.#runners = sources.map(
      (source) =>
        new SourceRunner(source, {
          ...options,
          publish: (...publication) => options.publish(source.name, ...publication),
        }),
    );
  }

  /** Resolves when each has started, or has failed to, or has not in two seconds. */
  async start(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, START_MS);
    await Promise.race([late, Promise.all(this.#runners.map((runner) => runner.start()))]);
    clearTimeout(timer);
  }

  /** Nothing is published from this call on. Resolves within some seconds. */
  async stop(): Promise<void> {
    await Promise.all(this.#runners.map((runner) => runner.stop()));
  }

  states(): SourceState[] {
    return this.#runners.map((runner) => runner.getState());
  }
}

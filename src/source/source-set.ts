import type { DataFlowManager } from '../dataflow/data-flow-manager.ts';
import type { Source, SourceState } from './source.ts';
import { SourceRunner, type SourceRunnerOptions } from './source-runner.ts';

export interface SourceSetOptions extends Omit<SourceRunnerOptions, 'publish' | 'publishText' | 'takesTexts'> {
  /** Where publications go, with the name of the source that they come from. */
  dataFlow: Pick<DataFlowManager, 'processData' | 'processText' | 'takesTexts'>;
}

/** How long a start waits, ms. */
const START_MS = 2_000;

/** The sources of a gateway, each kept running. Thread: the primary. */
export class SourceSet {
  readonly #runners: SourceRunner[];

  constructor(sources: readonly Source[], options: SourceSetOptions) {
    const { dataFlow } = options;
    this.#runners = sources.map(
      (source) =>
        new SourceRunner(source, {
          ...options,
          publish: (publication, dueUs, number) => dataFlow.processData(publication, source.name, dueUs, number),
          takesTexts: () => dataFlow.takesTexts,
          publishText: (text, dueUs, number) => dataFlow.processText(text, source.name, dueUs, number),
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

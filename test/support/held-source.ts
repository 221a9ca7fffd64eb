import type { Source, SourceSink, SourceState } from '../../src/source/source.ts';

/** A source that begins when it is let go, so that a test's clients are there for its first publication. */
export class HeldSource implements Source {
  readonly #source: Source;
  readonly #begun = Promise.withResolvers<SourceSink>();

  constructor(source: Source) {
    this.#source = source;
  }

  get name(): string {
    return this.#source.name;
  }

  start(sink: SourceSink): void {
    this.#begun.resolve(sink);
  }

  /** Resolves when the source has started. */
  async letGo(): Promise<void> {
    await this.#source.start(await this.#begun.promise);
  }

  stop(): void | Promise<void> {
    return this.#source.stop();
  }

  getState(): SourceState {
    return this.#source.getState();
  }
}

import { nowMs } from '../util/clock.ts';
import { errorMessage } from '../util/errors.ts';
import type { SourceState, SourceStatus } from './source.ts';

/** What every source counts about itself, over all its starts. One object a source; the source alone writes to it. */
export class SourceCounters {
  readonly #name: string;
  status: SourceStatus = 'idle';
  published = 0;
  bytesRead = 0;
  rejected = 0;
  /** Milliseconds since the epoch of the last publication; 0 before the first. */
  lastPublicationMs = 0;
  #lastError: { message: string; timestamp: number } | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** The source stops with this error. */
  failed(thrown: unknown): void {
    this.status = 'failed';
    this.#lastError = { message: errorMessage(thrown), timestamp: nowMs() };
  }

  state(): SourceState {
    const state: SourceState = {
      name: this.#name,
      status: this.status,
      published: this.published,
      bytesRead: this.bytesRead,
      rejected: this.rejected,
      lastPublicationMs: this.lastPublicationMs,
    };
    if (this.#lastError !== undefined) state.lastError = this.#lastError;
    return state;
  }
}

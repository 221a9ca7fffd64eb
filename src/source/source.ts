import type { Publication } from '../dataflow/publication.ts';
import type { PublicationText } from '../dataflow/publication-text.ts';
import type { SourceNumber } from '../dataflow/source-number.ts';

/** Where a source stands. `ended`: it had an end and reached it; `failed`: it stopped with `lastError`. */
export type SourceStatus = 'idle' | 'starting' | 'active' | 'ended' | 'failed' | 'stopped';

export interface SourceState {
  name: string;
  status: SourceStatus;
  /** Publications handed to the sink, over all starts. */
  published: number;
  /** Bytes read from the outside, over all starts; 0 where nothing is read. */
  bytesRead: number;
  /** Inputs that could not be used, over all starts: bad lines, messages whose mapping failed, feeders refused. */
  rejected: number;
  /** Milliseconds since the epoch of the last publication; 0 before the first. */
  lastPublicationMs: number;
  lastError?: { message: string; timestamp: number };
}

/** What a source hands its publications to. Called on the primary thread, synchronously. */
export interface SourceSink {
  /**
   * Hands over one publication, or anything that claims to be one: what is not a JSON object is refused and counted
   * there, never thrown. The source does not touch the object afterwards.
   * @param dueUs when it should have left, µs since the epoch; now where it is not given
   * @param number its identity, where every gateway that reads this source meets it under the same number
   */
  publish(publication: Publication, dueUs?: number, number?: SourceNumber): void;
  /**
   * True while a shard is so far behind that a source which can wait should wait. Cheap: ask before each publication, or
   * each few dozen. A source that stands for a live market does not wait.
   */
  congested(): boolean;
  /** Something could not be used; the source goes on. */
  reject(problem: { code: string; message: string; detail?: Record<string, unknown> }): void;
  /** The source has reached its end. */
  ended(): void;
  /**
   * The source cannot go on by itself. The runner stops it and starts it again, with back-off. What throws in a timer or a
   * callback of the source's own has nobody else to catch it: the source catches it and calls this.
   */
  failed(error: Error): void;
}

/** What a sink may offer besides to sources that get publications as JSON text. */
export interface TextSink {
  /** Whether texts go through as they are, for the moment. Else parsing them is the quicker way. Cheap. */
  takesTexts(): boolean;
  /** As `publish` with what the text says, which has been scanned. The source may use the object anew afterwards. */
  publishText(text: PublicationText, dueUs?: number, number?: SourceNumber): void;
}

/** Where publications come from. Runs on the primary thread and must not hold it for longer than some milliseconds. */
export interface Source {
  readonly name: string;
  /**
   * Begins to publish. Rejects or throws when it cannot start. May be called again after `stop` or a failure; `stop` may
   * come while this is still pending, and then it settles, one way or the other.
   */
  start(sink: SourceSink): void | Promise<void>;
  /** Ends all timers, files and sockets; nothing is published after it has resolved. Safe to call twice. */
  stop(): void | Promise<void>;
  getState(): SourceState;
}

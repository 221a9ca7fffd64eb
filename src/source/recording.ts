import type { Config } from '../config/schema.ts';
import { RecordingPlayer } from './recording-player.ts';
import type { Source, SourceSink, SourceState } from './source.ts';
import { SourceCounters } from './source-counters.ts';

type Opened = PromiseWithResolvers<void>;

/**
 * What it is: an exchange's recorded traffic, played. Thread: the primary. In: a file of what an exchange sent. Out:
 * publications, due when they were recorded, as laid onto the wall clock at the speed asked for; at `max` as fast as the
 * shards can take them.
 *
 * A line that cannot be used is counted and reported with its number; only a file that cannot be read at all, or has
 * nothing to publish, is a failure.
 */
export class RecordingSource implements Source {
  readonly name = 'recording';
  readonly #options: Config['source']['recording'];
  readonly #counters = new SourceCounters(this.name);
  #playing: { cancel: AbortController; done: Promise<void> } | undefined;

  constructor(options: Config['source']['recording']) {
    this.#options = options;
  }

  /** @throws TickcastError RECORDING_UNREADABLE */
  async start(sink: SourceSink): Promise<void> {
    const stopped = this.stop();
    const cancel = new AbortController();
    const opened = Promise.withResolvers<void>();
    this.#counters.status = 'starting';
    const player = new RecordingPlayer(this.#options, this.#counters, sink, cancel.signal);
    const done = stopped.then(() => this.#play(player, sink, cancel.signal, opened));
    this.#playing = { cancel, done };
    await opened.promise;
  }

  async stop(): Promise<void> {
    const playing = this.#playing;
    this.#playing = undefined;
    playing?.cancel.abort();
    const { status } = this.#counters;
    if (status === 'active' || status === 'starting') this.#counters.status = 'stopped';
    await playing?.done;
  }

  getState(): SourceState {
    return this.#counters.state();
  }

  /** Never rejects. How it went is told by `opened` up to the first message, by the sink from there on. */
  async #play(player: RecordingPlayer, sink: SourceSink, signal: AbortSignal, opened: Opened): Promise<void> {
    try {
      await player.open();
    } catch (thrown) {
      if (!signal.aborted) this.#counters.failed(thrown);
      opened.reject(thrown);
      return;
    }
    if (!signal.aborted) this.#counters.status = 'active';
    opened.resolve();
    try {
      await player.play();
      if (signal.aborted) return;
      this.#counters.status = 'ended';
      sink.ended();
    } catch (thrown) {
      if (signal.aborted) return;
      this.#counters.failed(thrown);
      sink.failed(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }
}

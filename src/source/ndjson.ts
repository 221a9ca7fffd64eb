import type net from 'node:net';
import type { Readable } from 'node:stream';
import type { Config } from '../config/schema.ts';
import type { Publication } from '../dataflow/publication.ts';
import type { PublicationText } from '../dataflow/publication-text.ts';
import { nowMs } from '../util/clock.ts';
import { type ErrorCode, TickcastError } from '../util/errors.ts';
import { LineNumbers } from './line-numbers.ts';
import { connectToFeed } from './ndjson-connector.ts';
import { type FeederEvents, NdjsonFeeder } from './ndjson-feeder.ts';
import { listenOnPath, listenOnPort } from './ndjson-listener.ts';
import type { Source, SourceSink, SourceState, TextSink } from './source.ts';
import { SourceCounters } from './source-counters.ts';

/** Longest that one turn takes lines before it lets the event loop go on, ms. */
const TURN_MS_MAX = 3;

/** Lines of one feeder before the next has its turn, and between two looks at the clock. */
const LINES_PER_FEEDER = 32;

/** Pause before a congested gateway is asked again, ms. */
const CONGESTION_PAUSE_MS = 2;

/**
 * What it is: publications as lines of JSON, from a collector in any language. Thread: the primary. In: standard input, or
 * feeders that connect to a Unix socket or a loopback port, or one feed that this connects to. Out: publications as they
 * were parsed, or unparsed where the sink takes texts, due when they were read, under the number that their line gives them.
 *
 * Feeders take turns, and all of them together hold the thread for some milliseconds at most. While a shard is far behind
 * none is read, so that their writers wait.
 */
export class NdjsonSource implements Source {
  readonly name = 'ndjson';
  readonly #options: Config['source']['ndjson'];
  readonly #input: Readable | undefined;
  readonly #counters = new SourceCounters(this.name);
  readonly #numbers: LineNumbers;
  readonly #feeders = new Map<NdjsonFeeder, net.Socket | undefined>();
  #servers: net.Server[] = [];
  #feedersEver = 0;
  #sink: (SourceSink & Partial<TextSink>) | undefined;
  #ready: NdjsonFeeder[] = [];
  #cancelTurn: (() => void) | undefined;

  /** @param input read where the options name nothing else; by default standard input */
  constructor(options: Config['source']['ndjson'], input?: Readable) {
    this.#options = options;
    this.#numbers = new LineNumbers(`ndjson:${options.numbering}`);
    this.#input = input;
  }

  async start(sink: SourceSink): Promise<void> {
    const stopped = this.stop();
    this.#sink = sink;
    this.#counters.status = 'starting';
    await stopped;
    const { port, path, connect } = this.#options;
    try {
      if (connect !== '' && this.#sink === sink) await this.#connect(sink, connect);
      if (path !== '' && this.#sink === sink) await this.#listen(sink, listenOnPath(path, this.#accept));
      if (port !== 0 && this.#sink === sink) await this.#listen(sink, listenOnPort(port, this.#accept));
    } catch (thrown) {
      if (this.#sink === sink) await this.stop();
      this.#counters.failed(thrown);
      throw thrown;
    }
    if (this.#sink !== sink) return;
    this.#counters.status = 'active';
    if (path === '' && port === 0 && connect === '') this.#addFeeder(this.#input ?? process.stdin, undefined);
  }

  async stop(): Promise<void> {
    this.#sink = undefined;
    const { status } = this.#counters;
    if (status === 'active' || status === 'starting') this.#counters.status = 'stopped';
    this.#cancelTurn?.();
    this.#cancelTurn = undefined;
    this.#ready = [];
    for (const [feeder, socket] of this.#feeders) {
      feeder.close();
      socket?.destroy();
    }
    this.#feeders.clear();
    const servers = this.#servers;
    this.#servers = [];
    await Promise.all(servers.map(closed));
  }

  getState(): SourceState {
    return this.#counters.state();
  }

  /** A stop that came in between has not seen this server: it is closed here. */
  async #listen(sink: SourceSink, opening: Promise<net.Server>): Promise<void> {
    const server = await opening;
    if (this.#sink !== sink) return closed(server);
    server.on('error', (error) => this.#fail(error));
    this.#servers.push(server);
  }

  /** As `#listen`. */
  async #connect(sink: SourceSink, connect: string): Promise<void> {
    const socket = await connectToFeed(connect);
    if (this.#sink === sink) this.#addFeeder(socket, socket);
    else socket.destroy();
  }

  readonly #accept = (socket: net.Socket): void => {
    if (this.#feeders.size < this.#options.connections) {
      this.#addFeeder(socket, socket);
      return;
    }
    ignoreErrors(socket);
    socket.destroy();
    const { connections } = this.#options;
    this.#reject('SOURCE_FEEDER_REFUSED', `A feeder is refused: ${connections} are connected`, { connections });
  };

  #addFeeder(stream: Readable, socket: net.Socket | undefined): void {
    ignoreErrors(stream);
    const feeder = new NdjsonFeeder(stream, ++this.#feedersEver, this.#options.lineBytes, this.#events);
    this.#feeders.set(feeder, socket);
    feeder.open();
  }

  readonly #events: FeederEvents = {
    read: (bytes) => {
      this.#counters.bytesRead += bytes;
    },
    ready: (feeder) => {
      if (!this.#ready.includes(feeder)) this.#ready.push(feeder);
      if (this.#cancelTurn === undefined) this.#turnSoon();
    },
    takesTexts: () => this.#sink?.takesTexts?.() ?? false,
    publish: (publication) => this.#publish(publication),
    publishText: (text) => this.#publishText(text),
    congested: () => this.#sink?.congested() ?? false,
    reject: (code, message, detail) => this.#reject(code, message, detail),
  };

  #publish(publication: Publication): void {
    this.#counters.published++;
    this.#sink?.publish(publication, undefined, this.#numbers.read(publication.seq, publication.epoch));
  }

  #publishText(text: PublicationText): void {
    this.#counters.published++;
    const number = text.seq === 0 ? undefined : this.#numbers.read(text.seq, text.epoch());
    this.#sink?.publishText?.(text, undefined, number);
  }

  #reject(code: ErrorCode, message: string, detail: Record<string, unknown>): void {
    this.#counters.rejected++;
    this.#sink?.reject({ code, message, detail });
  }

  #turnSoon(): void {
    const immediate = setImmediate(this.#turn);
    this.#cancelTurn = () => clearImmediate(immediate);
  }

  #turnLater(): void {
    const timer = setTimeout(this.#turn, CONGESTION_PAUSE_MS);
    this.#cancelTurn = () => clearTimeout(timer);
  }

  readonly #turn = (): void => {
    this.#cancelTurn = undefined;
    try {
      this.#takeTurns();
    } catch (thrown) {
      this.#fail(thrown);
    }
  };

  /** Goes round the feeders that have lines until there are none, time is up, or a shard cannot keep up. */
  #takeTurns(): void {
    const untilMs = performance.now() + TURN_MS_MAX;
    const publishedBefore = this.#counters.published;
    let congested = false;
    while (this.#ready.length > 0 && performance.now() < untilMs) {
      congested = this.#sink?.congested() ?? false;
      if (congested) break;
      this.#takeFrom(this.#ready.shift() as NdjsonFeeder);
    }
    if (this.#counters.published > publishedBefore) this.#counters.lastPublicationMs = nowMs();
    if (this.#ready.length === 0 || this.#cancelTurn !== undefined) return;
    if (congested) this.#turnLater();
    else this.#turnSoon();
  }

  #takeFrom(feeder: NdjsonFeeder): void {
    const outcome = feeder.takeLines(LINES_PER_FEEDER);
    if (!this.#feeders.has(feeder)) return; // stopped by the sink
    if (outcome === 'more') this.#ready.push(feeder);
    else if (outcome === 'ended') this.#remove(feeder);
  }

  #remove(feeder: NdjsonFeeder): void {
    const socket = this.#feeders.get(feeder);
    this.#feeders.delete(feeder);
    feeder.close();
    if (socket !== undefined) {
      socket.destroy();
      const { connect } = this.#options;
      if (connect !== '') this.#fail(new TickcastError('SOURCE_FAILED', `The feed ${connect} has ended`, { connect }));
      return;
    }
    this.#counters.status = 'ended';
    this.#sink?.ended();
  }

  #fail(thrown: unknown): void {
    const sink = this.#sink;
    void this.stop();
    this.#counters.failed(thrown);
    sink?.failed(thrown instanceof Error ? thrown : new TickcastError('SOURCE_FAILED', String(thrown)));
  }
}

/** A feeder that breaks off is its own affair, and its end is noticed; an error nobody listens to would end the process. */
function ignoreErrors(stream: Readable): void {
  if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
}

function ignore(): void {}

function closed(server: net.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

import type { PooledConnection } from '../connection/pooled-connection.ts';
import type { Beginning } from './beginnings.ts';
import type { Epochs } from './epochs.ts';
import type { Pump } from './pump.ts';
import type { ResumeRequest } from './resume.ts';
import type { TopicTable } from './topic-table.ts';

export interface DeferredCommandsParts {
  epochs: Epochs;
  table: TopicTable;
  pump: Pump;
  /** How long a resume waits for the publication that it begins behind, ms. */
  resumeWaitMs: number;
  /** Reads on to the end of the ring. */
  drain: () => void;
  /** Closes a connection for which too much waits. */
  giveUp: (connection: PooledConnection) => void;
}

/** Commands that wait for one connection; with more it is given up. */
const DEFERRED_MAX = 1_000;
/** Time between two looks for a publication that is waited for, ms. */
const LOOK_MS = 10;

/**
 * Commands that change the filters of a connection and have to wait, in the order of all. They wait for a replay to end, for
 * a slow client to catch up where it is to be told what it missed, for time, and for a publication: another shard, or another
 * gateway that numbers alike, may have got it a moment earlier, and one that has just started does not know yet how it numbers.
 */
export class DeferredCommands {
  readonly #parts: DeferredCommandsParts;

  constructor(parts: DeferredCommandsParts) {
    this.#parts = parts;
  }

  /** Whether the command has to wait. Then it is called again later. */
  defers(connection: PooledConnection, beginning: Beginning | undefined, command: () => void): boolean {
    const { pump, giveUp } = this.#parts;
    const resume = beginning?.resume;
    const isAhead = resume !== undefined && this.#isAhead(connection, resume);
    const { backlog, deferred } = connection;
    const isBusy = backlog?.lane === 'replaying' || (resume !== undefined && backlog !== undefined);
    // What it begins with is looked up in the index, or among all topics: many that come at the same time take turns.
    const takesTime = resume !== undefined || beginning?.snapshot === true;
    if (deferred === undefined && !isBusy && !isAhead && (!takesTime || pump.hasTime())) return false;
    if (deferred === undefined) {
      connection.deferred = [command];
      if (isAhead) this.#awaitPublication(connection, resume);
      else if (!isBusy) pump.later(() => this.run(connection));
    } else if (deferred.length < DEFERRED_MAX) {
      deferred.push(command);
    } else {
      giveUp(connection);
    }
    return true;
  }

  /** One at a time, since each may take long. One that has to wait again defers itself, and those behind it follow. */
  run(connection: PooledConnection): void {
    const [command, ...rest] = connection.deferred ?? [];
    connection.deferred = undefined;
    if (command === undefined || connection.state !== 'open') return;
    command();
    if (rest.length === 0 || connection.state !== 'open') return;
    if (connection.deferred === undefined) this.#parts.pump.later(() => this.run(connection));
    connection.deferred = [...(connection.deferred ?? []), ...rest];
  }

  /** Whether the client had come further than this shard has, and what it had come to may yet come. */
  #isAhead(connection: PooledConnection, resume: ResumeRequest): boolean {
    const { table, drain } = this.#parts;
    if (resume.seq <= table.seq || !this.#mayCome(resume)) return false;
    drain();
    return this.#mayCome(resume) && this.#mayWait(connection);
  }

  /** A connection has one time to wait, however many resumes it asks for. */
  #mayWait(connection: PooledConnection): boolean {
    const nowMs = performance.now();
    connection.awaitsUntilMs ??= nowMs + this.#parts.resumeWaitMs;
    return nowMs < connection.awaitsUntilMs;
  }

  #mayCome({ epoch, seq }: ResumeRequest): boolean {
    const { table, epochs } = this.#parts;
    return table.seq === 0 || (seq > table.seq && epochs.covers(epoch, seq));
  }

  /** Runs what has been deferred when the publication has come, or has not in all that time. */
  #awaitPublication(connection: PooledConnection, resume: ResumeRequest): void {
    if (connection.deferred === undefined) return;
    if (this.#mayCome(resume) && this.#mayWait(connection)) {
      setTimeout(() => this.#awaitPublication(connection, resume), LOOK_MS).unref();
    } else {
      this.run(connection);
    }
  }
}

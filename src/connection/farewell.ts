import type { PooledConnection } from './pooled-connection.ts';
import { sendReply } from './reply.ts';

export interface FarewellParts {
  /** All of the shard. */
  connections: ReadonlySet<PooledConnection>;
  /** Writes out everything that has been published. */
  flush: () => void;
  /** seq of the newest publication that has been read. */
  seq: () => number;
  close: (connection: PooledConnection) => void;
}

/** Time between two groups that are closed, ms. */
const STEP_MS = 20;

/**
 * The end of a shard's connections, one after another, so that they do not all come back elsewhere at once. Each is told at
 * the beginning how long it may stay, and gets data until then. One that keeps up is also told how far it has come, which its
 * last data alone may not say: where it goes next has perhaps not been there for long.
 */
export class Farewell {
  readonly #parts: FarewellParts;
  readonly #drainMs: number;
  readonly #begunMs = performance.now();
  /** When each has to go, ms since the beginning. */
  readonly #turns = new Map<PooledConnection, number>();
  #timer: NodeJS.Timeout | undefined;

  /** Begins. @param drainMs time in which all have to go */
  constructor(parts: FarewellParts, drainMs: number) {
    this.#parts = parts;
    this.#drainMs = drainMs;
    const count = parts.connections.size;
    let place = 0;
    parts.flush();
    const seq = parts.seq();
    for (const connection of parts.connections) {
      this.#tell(connection, (drainMs * place++) / count, isLive(connection) ? { seq } : {});
    }
    this.#timer = setInterval(() => this.#step(), STEP_MS);
  }

  /** One whose handshake was under way. */
  join(connection: PooledConnection): void {
    const elapsedMs = performance.now() - this.#begunMs;
    this.#tell(connection, elapsedMs + Math.random() * Math.max(0, this.#drainMs - elapsedMs));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tell(connection: PooledConnection, turnMs: number, point: { seq?: number } = {}): void {
    this.#turns.set(connection, turnMs);
    const elapsedMs = performance.now() - this.#begunMs;
    const reconnectAfterMs = Math.max(0, Math.round(turnMs - elapsedMs));
    const drainMs = Math.max(0, Math.round(this.#drainMs - elapsedMs));
    sendReply(connection, 'serverShutdown', { drainMs, reconnectAfterMs, ...point }, undefined);
  }

  #step(): void {
    const { flush, close } = this.#parts;
    const elapsedMs = performance.now() - this.#begunMs;
    const due = [...this.#turns].filter(([, turnMs]) => turnMs <= elapsedMs);
    if (due.length > 0) flush();
    for (const [connection] of due) {
      this.#turns.delete(connection);
      // One that has gone by itself is not closed again.
      close(connection);
    }
  }
}

/** It gets what it has asked for, and has all of that. One that has asked for nothing yet may be about to resume. */
function isLive({ backlog, deferred, cohort }: PooledConnection): boolean {
  return backlog === undefined && deferred === undefined && cohort !== undefined;
}

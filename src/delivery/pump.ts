import type { PooledConnection } from '../connection/pooled-connection.ts';
import { PHASE } from '../telemetry/shard-phases.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { nowUs } from '../util/clock.ts';
import type { Outgoing } from './outgoing.ts';

export interface PumpParts {
  statistics: StatisticsBlock;
  /** A connection whose socket holds more than this is left alone until it drains, bytes. */
  highWaterBytes: number;
  /** It has got everything, and can go back among the others. */
  caughtUp: (connection: PooledConnection) => void;
  /** Nobody can say what it has missed. */
  lost: (connection: PooledConnection) => void;
  /** A message has been handed to its socket. */
  sent: (connection: PooledConnection, message: Outgoing) => void;
}

/** Longest that one turn works before the event loop goes on, ms: what the others wait for these. */
const TURN_MS_MAX = 2;
/** Work outside of turns, such as for commands as they come, takes no more than that in this time, ms. */
const WINDOW_MS = 10;
/** One write to a socket. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Writes their backlogs to the connections that are behind, in turns so short that those who are not do not notice. Runs on
 * the shard's thread, beside the duty cycle.
 */
export class Pump {
  readonly #parts: PumpParts;
  /** Connections that can be written to, the one that waits longest first. */
  readonly #ready = new Set<PooledConnection>();
  /** Work that had no time when it came up, oldest first. */
  readonly #jobs: (() => void)[] = [];
  #windowAtMs = Number.NEGATIVE_INFINITY;
  #spentMs = 0;
  #inTurn = false;
  #immediate: NodeJS.Immediate | undefined;

  constructor(parts: PumpParts) {
    this.#parts = parts;
  }

  /** The connection has something to get; it is written to as soon as it can be. */
  wake(connection: PooledConnection): void {
    if (connection.backlog === undefined || connection.backlog.waitsForDrain) return;
    this.#ready.add(connection);
    this.#schedule();
  }

  /** As `wake`, but a first piece goes out at once where there is time for it. */
  begin(connection: PooledConnection): void {
    if (connection.backlog?.waitsForDrain !== false) return;
    if (this.hasTime()) this.spend(() => this.run(connection, performance.now()));
    else this.wake(connection);
  }

  /** Whether work may be done at once, rather than `later`: a thousand clients that come at the same time must not. */
  hasTime(): boolean {
    if (this.#inTurn) return true;
    const nowMs = performance.now();
    if (nowMs - this.#windowAtMs >= WINDOW_MS) {
      this.#windowAtMs = nowMs;
      this.#spentMs = 0;
    }
    return this.#spentMs < TURN_MS_MAX;
  }

  /** Does work that counts as time taken from the others. */
  spend<T>(work: () => T): T {
    const begunMs = performance.now();
    try {
      return work();
    } finally {
      this.#spentMs += performance.now() - begunMs;
    }
  }

  /** Does the work in a turn to come, behind what has been put off before. */
  later(job: () => void): void {
    this.#jobs.push(job);
    this.#schedule();
  }

  forget(connection: PooledConnection): void {
    this.#ready.delete(connection);
  }

  stop(): void {
    clearImmediate(this.#immediate);
    this.#ready.clear();
    this.#jobs.length = 0;
  }

  /** Writes what one connection's socket takes, until `untilMs`. */
  run(connection: PooledConnection, untilMs: number): void {
    const { highWaterBytes, caughtUp, lost } = this.#parts;
    this.#ready.delete(connection);
    for (;;) {
      const { backlog, socket } = connection;
      if (backlog === undefined || connection.state !== 'open') return;
      if (socket.writableLength > highWaterBytes) return this.#awaitDrain(connection);
      const end = this.#writeChunk(connection);
      backlog.progressMs = performance.now();
      if (end === 'lost') return lost(connection);
      if (end === 'end' && socket.writableLength <= highWaterBytes) return caughtUp(connection);
      if (backlog.progressMs >= untilMs) return this.wake(connection);
    }
  }

  #schedule(): void {
    this.#immediate ??= setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#immediate = undefined;
    const untilMs = performance.now() + TURN_MS_MAX;
    this.#inTurn = true;
    this.#parts.statistics.set('phase', PHASE.replaying);
    try {
      while (performance.now() < untilMs && this.#step(untilMs));
    } finally {
      this.#inTurn = false;
      this.#parts.statistics.set('phase', PHASE.idle);
    }
    if (this.#ready.size + this.#jobs.length > 0) this.#schedule();
  }

  /** One job and one connection. False: there is neither. */
  #step(untilMs: number): boolean {
    const job = this.#jobs.shift();
    job?.();
    for (const connection of this.#ready) {
      this.run(connection, untilMs);
      return true;
    }
    return job !== undefined;
  }

  /** `end`: there is no more. */
  #writeChunk(connection: PooledConnection): 'more' | 'end' | 'lost' {
    const { backlog, socket } = connection;
    const messages: Outgoing[] = [];
    let bytes = 0;
    let end: 'more' | 'end' | 'lost' = 'more';
    const untilMs = performance.now() + TURN_MS_MAX;
    while (bytes < CHUNK_BYTES && (bytes === 0 || performance.now() < untilMs)) {
      const message = backlog!.next();
      if (message === undefined || message === 'lost') {
        end = message ?? 'end';
        break;
      }
      messages.push(message);
      bytes += message.bytes.length;
    }
    if (messages.length === 0) return end;
    socket.write(
      messages.length === 1
        ? messages[0]!.bytes
        : Buffer.concat(
            messages.map((each) => each.bytes),
            bytes,
          ),
    );
    this.#count(connection, messages);
    return end;
  }

  #count(connection: PooledConnection, messages: readonly Outgoing[]): void {
    const { statistics, sent } = this.#parts;
    const now = nowUs();
    // What was due before that waited for the client, and not for this gateway.
    const readyUs = connection.backlog?.readyUs ?? now;
    let bytes = 0;
    let deliveries = 0;
    for (const message of messages) {
      sent(connection, message);
      if (message.kind !== 'data') continue;
      deliveries++;
      bytes += message.bytes.length;
      statistics.addDeliveries(message.slot, 1, message.bytes.length, now - Math.max(message.dueUs, readyUs));
    }
    connection.messagesSent += deliveries;
    connection.bytesSent += bytes;
    statistics.add('messagesForwarded', deliveries);
    statistics.add('bytesForwarded', bytes);
    statistics.add('socketWrites');
  }

  #awaitDrain(connection: PooledConnection): void {
    connection.backlog!.waitsForDrain = true;
    connection.socket.once('drain', () => {
      const { backlog } = connection;
      if (backlog === undefined) return;
      backlog.waitsForDrain = false;
      backlog.readyUs = nowUs();
      backlog.progressMs = performance.now();
      this.wake(connection);
    });
  }
}

import type { GivenFilter } from '../../perf/truth/naive-matcher.ts';
import { ConnectionPoolManager, type PoolParts } from '../../src/batch/connection-pool-manager.ts';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import type { Backlog } from '../../src/delivery/backlog.ts';
import { textFrame } from '../../src/frame/frame-header.ts';
import { FRAME } from '../../src/ring/layout.ts';
import type { RecordCursor } from '../../src/ring/receiver.ts';
import { isFilterProblem, parseFilter } from '../../src/subscription/filter.ts';
import { SubscriptionManager } from '../../src/subscription/subscription-manager.ts';
import { DATA_TYPE_NAMES, StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { adaptivePolicy } from './adaptive-policy.ts';
import { GatedSocket } from './gated-socket.ts';
import { textsOf } from './received-frames.ts';
import { connectionOn } from './test-connection.ts';
import { TestTopics } from './test-topics.ts';

/** A record as a receiver would show it. */
export function recordOf(text: string, fields: Partial<RecordCursor> = {}): RecordCursor {
  const bytes = textFrame(text);
  const numbers = { topic: 0, slot: 0, policy: 0, seq: 1, prevSeq: 0, ordinal: 1, dueUs: 0, previous: -1, at: 0 };
  return { bytes, frameStart: 0, frameEnd: bytes.length, kind: FRAME, ...numbers, ...fields };
}

/** A connection of the pool, and the socket its frames go to. */
export interface PoolClient {
  connection: PooledConnection;
  socket: GatedSocket;
}

/**
 * The batching pool with the subscriptions in front of it and sockets behind it, all in one thread. A connection that falls
 * behind has no backlog worth the name, only a list of what it has been noted for.
 */
export class TestPool {
  readonly statistics: StatisticsBlock;
  readonly topics = new TestTopics();
  readonly pool: ConnectionPoolManager;
  readonly subscriptions: SubscriptionManager;
  /** Ids of connections that were found to hold too much, in order. */
  readonly fellBehind: string[] = [];
  /** By connection, texts of the records that it wanted while it was behind, oldest first. */
  readonly noted = new Map<PooledConnection, string[]>();
  readonly #topicOf = new Map<string, number>();
  #serial = 1;

  constructor(parts: Partial<PoolParts> = {}) {
    this.statistics = parts.statistics ?? new StatisticsBlock(StatisticsBlock.allocate());
    this.pool = new ConnectionPoolManager({
      statistics: this.statistics,
      policy: adaptivePolicy(100_000, 10),
      batchBytesMax: 64 * 1024 * 1024,
      highWaterBytes: Number.POSITIVE_INFINITY,
      fellBehind: (connection) => {
        this.fellBehind.push(connection.id);
        this.#setBacklog(connection, {} as Backlog);
        if (!this.noted.has(connection)) this.noted.set(connection, []);
      },
      behind: (connections, record) => {
        for (const connection of connections) this.noted.get(connection)!.push(...textsOf(frameOf(record)));
      },
      ...parts,
    });
    this.subscriptions = new SubscriptionManager(this.topics.reader, this.pool);
  }

  /**
   * A connection that wants this; nothing where there is no filter, everything for `firehose`.
   * @param windowBits of what may be sent to it compressed; 0: nothing
   */
  client(filter?: GivenFilter | 'firehose', windowBits = 0): PoolClient {
    const socket = new GatedSocket();
    const connection = connectionOn(socket, { serial: this.#serial++ });
    connection.windowBits = windowBits;
    if (filter === 'firehose') this.subscriptions.joinFirehose(connection);
    else if (filter !== undefined) this.subscribe(connection, filter);
    return { connection, socket };
  }

  subscribe(connection: PooledConnection, filter: GivenFilter): string {
    const parsed = parseFilter({ ...filter });
    if (isFilterProblem(parsed)) throw new Error(parsed.problem);
    return this.subscriptions.addFilter(connection, parsed.terms, parsed.given);
  }

  disconnect(connection: PooledConnection): void {
    connection.state = 'closing';
    this.subscriptions.disconnect(connection);
  }

  /** A connection that is behind has got all that it was noted for, and goes back among the others. */
  rejoin(connection: PooledConnection): void {
    this.#setBacklog(connection, undefined);
  }

  /** Appends a trade of the symbol to the batches of those who want it. */
  publish(symbol: string, text: string, fields: Partial<RecordCursor> = {}): void {
    let topic = this.#topicOf.get(symbol);
    if (topic === undefined) {
      topic = this.topics.add('binance', symbol, 'trade');
      this.#topicOf.set(symbol, topic);
    }
    this.pool.append(this.subscriptions.match(topic), recordOf(text, { topic, ...fields }));
  }

  flushAll(): void {
    this.pool.flushAll();
  }

  /** Deliveries over all data types: what the counters of the types add up to. */
  deliveries(): { count: number; bytes: number } {
    const all = DATA_TYPE_NAMES.map((_, slot) => this.statistics.deliveries(slot));
    return {
      count: all.reduce((sum, { count }) => sum + count, 0),
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  #setBacklog(connection: PooledConnection, backlog: Backlog | undefined): void {
    const { cohort } = connection;
    cohort?.remove(connection);
    connection.backlog = backlog;
    cohort?.add(connection);
  }
}

/** The frame that a record holds. */
export function frameOf({ bytes, frameStart, frameEnd }: RecordCursor): Buffer {
  return bytes.subarray(frameStart, frameEnd);
}

/** Texts of the frames that a client has got. */
export function textsAt({ socket }: PoolClient): string[] {
  return textsOf(socket.received);
}

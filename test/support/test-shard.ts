import { ConservationJudge } from '../../perf/truth/conservation.ts';
import type { GivenFilter } from '../../perf/truth/naive-matcher.ts';
import type { ConnectionPoolManager } from '../../src/batch/connection-pool-manager.ts';
import type { FlushPolicy } from '../../src/batch/flush-policy.ts';
import { createConfig } from '../../src/config/load-config.ts';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import type { CloseName } from '../../src/connection/close-codes.ts';
import type { Commands } from '../../src/connection/commands.ts';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import type { WebSocketProxy } from '../../src/connection/websocket-proxy.ts';
import type { QueryName } from '../../src/control/messages.ts';
import type { Delivery } from '../../src/delivery/delivery.ts';
import { TopicTable } from '../../src/delivery/topic-table.ts';
import { RingViews, waitingIndex } from '../../src/ring/layout.ts';
import { Receiver } from '../../src/ring/receiver.ts';
import { SequenceIndexReader } from '../../src/ring/sequence-index.ts';
import { TopicDirectoryReader } from '../../src/ring/topic-directory.ts';
import { WakeUpReceiver } from '../../src/ring/wake-up.ts';
import type { CatchUp } from '../../src/shard/catch-up.ts';
import { DutyCycle } from '../../src/shard/duty-cycle.ts';
import type { SubscriptionManager } from '../../src/subscription/subscription-manager.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { adaptivePolicy } from './adaptive-policy.ts';
import { collectingLogger } from './collected-lines.ts';
import { letTurnsPass } from './let-turns-pass.ts';
import { ShardClient } from './shard-client.ts';
import { shardParts } from './shard-parts.ts';
import { TestPrimary, type TestPrimaryOptions } from './test-primary.ts';

export interface TestShardOptions extends TestPrimaryOptions {
  /** Fills the ring; one of its own where none is given. */
  primary?: TestPrimary;
  policy?: FlushPolicy;
  /** A connection with more unread bytes than this is behind. */
  highWaterBytes?: number;
  config?: ConfigOverrides;
}

/** A shard's way from ring to sockets and back, in one thread, all parts of it real but for the sockets. */
export class TestShard {
  readonly primary: TestPrimary;
  readonly config;
  readonly receiver: Receiver;
  readonly directory: TopicDirectoryReader;
  readonly subscriptions: SubscriptionManager;
  readonly statistics = new StatisticsBlock(StatisticsBlock.allocate());
  readonly logger = collectingLogger();
  readonly table = new TopicTable();
  readonly pool: ConnectionPoolManager;
  readonly delivery: Delivery;
  readonly commands: Commands;
  readonly catchUp: CatchUp;
  readonly duty: DutyCycle;
  /** Why connections were closed. */
  readonly closes: CloseName[] = [];
  /** What only the primary knows, and how it answers. */
  readonly asked: QueryName[] = [];
  answer: (name: QueryName) => Promise<Record<string, unknown>> = async () => ({});
  /** Runs when the shard has noticed that it was lapped, before it does anything about it. */
  onLapped: () => void = () => {};
  #serial = 1;

  constructor(options: TestShardOptions = {}) {
    const { policy = adaptivePolicy(100_000, 10), highWaterBytes = 64 * 1024 } = options;
    const { primary = new TestPrimary(options), config = {} } = options;
    this.primary = primary;
    this.config = createConfig({ ...config, limits: { commandsPerSecond: 0, ...config.limits } });
    this.directory = new TopicDirectoryReader(primary.directory);
    this.receiver = new Receiver(primary.ring);
    const { statistics, directory, table, receiver, logger: log, config: full } = this;
    const parts = shardParts({
      epochs: primary.epochs,
      statistics,
      directory,
      index: new SequenceIndexReader(primary.sequenceIndex),
      receiver,
      history: new Receiver(primary.ring),
      table,
      policy,
      highWaterBytes,
      config: full,
      log,
      query: (name) => {
        this.asked.push(name);
        return this.answer(name);
      },
      close: (connection, name) => this.close(connection, name),
      drain: () => this.duty.drain(),
    });
    const { pool, subscriptions, delivery, restorer } = parts;
    this.pool = pool;
    this.subscriptions = subscriptions;
    this.delivery = delivery;
    this.commands = parts.commands;
    this.catchUp = parts.catchUp;
    const { catchUp } = this;
    this.duty = new DutyCycle({
      receiver,
      wakeUp: new WakeUpReceiver(primary.ring, 0),
      subscriptions,
      pool,
      policy,
      statistics,
      table,
      delivery,
      catchUp: {
        start: () => {
          this.onLapped();
          catchUp.start();
        },
        isOpen: (topic) => catchUp.isOpen(topic),
        makeUp: (cohorts, record) => catchUp.makeUp(cohorts, record),
      },
    });
    restorer.restore();
  }

  /** Publishes a trade, padded by so many characters. Returns its seq. */
  publish(symbol: string, padding = 0): number {
    return this.primary.publish(symbol, padding);
  }

  /** Publishes more than the ring holds, round robin over the symbols. */
  overrun(symbols: readonly string[]): void {
    this.primary.overrun(symbols);
  }

  /** A client that gets everything, or what the filter says, from now on; nothing yet where it is `none`. */
  client(filter?: GivenFilter | 'none'): ShardClient {
    const client = new ShardClient(this.#serial++, (connection, text) => this.commands.handle(connection, text));
    this.#welcome(client, filter === undefined);
    if (filter !== undefined && filter !== 'none') client.ask('subscribe', { ...filter });
    return client;
  }

  /** The client loses its connection and comes back with another, on which it gets nothing yet. */
  reconnect(client: ShardClient): void {
    if (client.connection.state === 'open') this.close(client.connection, 'clientClosed');
    client.reconnect();
    this.#welcome(client, false);
  }

  /** Takes a connection off the data path, as one that is closing. */
  close(connection: PooledConnection, name: CloseName): void {
    this.closes.push(name);
    connection.state = 'closing';
    this.subscriptions.disconnect(connection);
    this.commands.disconnected(connection);
  }

  /** Lets the shard read and write all there is, and those that are behind take what their sockets let through. */
  async settle(): Promise<void> {
    this.duty.flush();
    await letTurnsPass();
  }

  /** Whether the shard sleeps until it is woken. */
  get isWaiting(): boolean {
    return Atomics.load(new RingViews(this.primary.ring).flags, waitingIndex(0)) === 1;
  }

  /**
   * What there is to say against all that a client was told, once it has caught up: by the rules, by its ledger, by the log
   * of what was published, and by the books that it has built.
   */
  problemsOf(client: ShardClient): string[] {
    const { state, pending } = client.ask('getLedger');
    const judge = new ConservationJudge(this.primary.log);
    judge.judge(client.checker.record);
    const late = state === 'live' && pending === 0 ? [] : [`${state}, ${pending} pending`];
    return [...late, ...client.problems, ...judge.problems.list(), ...this.primary.bookProblems(client.checker)];
  }

  #welcome({ connection, checker }: ShardClient, isFirehose: boolean): void {
    const { epoch } = this.primary;
    connection.proxy = { givesUpOn: () => false } as unknown as WebSocketProxy;
    checker.connecting(isFirehose);
    checker.take({ type: 'welcome', payload: { epoch, seq: this.table.seq }, timestamp: 0 });
    if (!isFirehose) return;
    this.subscriptions.joinFirehose(connection);
    this.delivery.beginFirehose(connection);
  }
}

import { createConfig } from '../../src/config/load-config.ts';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import type { CloseName } from '../../src/connection/close-codes.ts';
import type { Commands } from '../../src/connection/commands.ts';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import type { Delivery } from '../../src/delivery/delivery.ts';
import { WakeUpReceiver } from '../../src/ring/wake-up.ts';
import { DutyCycle } from '../../src/shard/duty-cycle.ts';
import type { SubscriptionManager } from '../../src/subscription/subscription-manager.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { adaptivePolicy } from './adaptive-policy.ts';
import { collectingLogger } from './collected-lines.ts';
import { DeliveryClient } from './delivery-client.ts';
import { DeliveryStage, type DeliveryStageOptions } from './delivery-stage.ts';
import { shardParts } from './shard-parts.ts';

export interface DeliveryShardOptions extends DeliveryStageOptions {
  highWaterBytes?: number;
  /** A batch of so many messages is written at once, rather than when the shard is told to. */
  batchMessages?: number;
  config?: ConfigOverrides;
}

/** More than anything here takes. */
const TURNS_MAX = 10_000;

/** A delivery stage with all that surrounds it on a shard: subscriptions, batches and commands; sockets with gates. */
export class DeliveryShard {
  readonly stage: DeliveryStage;
  readonly statistics = new StatisticsBlock(StatisticsBlock.allocate());
  readonly delivery: Delivery;
  readonly duty: DutyCycle;
  readonly subscriptions: SubscriptionManager;
  /** Why connections were closed, oldest first. */
  readonly closes: CloseName[] = [];
  readonly #commands: Commands;
  readonly #clients: DeliveryClient[] = [];
  #serial = 1;

  constructor(options: DeliveryShardOptions = {}) {
    const { highWaterBytes = 1, batchMessages = 100_000, config: overrides = {} } = options;
    const stage = new DeliveryStage(options);
    this.stage = stage;
    const config = createConfig({ ...overrides, limits: { commandsPerSecond: 0, ...overrides.limits } });
    const { statistics } = this;
    const { table, receiver } = stage;
    const policy = adaptivePolicy(batchMessages, 10);
    const { pool, subscriptions, delivery, commands, catchUp } = shardParts({
      epochs: stage.epochs,
      directory: stage.directory,
      index: stage.index,
      receiver,
      history: stage.history,
      table,
      statistics,
      policy,
      highWaterBytes,
      config,
      log: collectingLogger(),
      query: async () => ({}),
      close: (connection, name) => this.close(connection, name),
      drain: () => this.duty.drain(),
    });
    this.subscriptions = subscriptions;
    this.delivery = delivery;
    this.#commands = commands;
    const wakeUp = new WakeUpReceiver(stage.ring, 0);
    this.duty = new DutyCycle({
      receiver,
      wakeUp,
      subscriptions,
      pool,
      policy,
      statistics,
      table,
      delivery: { watchReplays: () => delivery.watchReplays() },
      catchUp,
    });
  }

  /** A client that is connected and gets nothing yet, or everything. */
  client(wants: 'nothing' | 'everything' = 'nothing'): DeliveryClient {
    const client = new DeliveryClient((connection, text) => this.#commands.handle(connection, text));
    this.#clients.push(client);
    this.connect(client, wants);
    return client;
  }

  /** Gives a client a connection. */
  connect(client: DeliveryClient, wants: 'nothing' | 'everything'): void {
    const { epoch, table } = this.stage;
    client.connecting(this.#serial++, wants === 'everything', { epoch, seq: table.seq });
    if (wants === 'nothing') return;
    this.subscriptions.joinFirehose(client.connection);
    this.delivery.beginFirehose(client.connection);
  }

  /** The shard reads and writes all there is. */
  flush(): void {
    this.duty.flush();
    this.delivery.watchReplays();
  }

  /** Lets the pump and the sockets have so many turns of the event loop. */
  async turns(count = 1): Promise<void> {
    for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Reads and writes all there is, until nobody is behind, or has a command that waits, but those whose sockets are full. */
  async settle(): Promise<void> {
    this.flush();
    const isSettled = ({ connection: { state, socket, backlog, deferred } }: DeliveryClient) =>
      state !== 'open' || socket.writableLength > 0 || (backlog === undefined && deferred === undefined);
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      await this.turns();
      if (this.#clients.every(isSettled)) return;
    }
    throw new Error('there is always something more to write');
  }

  /** Takes a connection off the data path, as one that is closing. */
  close(connection: PooledConnection, name: CloseName): void {
    if (connection.state !== 'open') return;
    this.closes.push(name);
    connection.state = 'closing';
    this.subscriptions.disconnect(connection);
    this.#commands.disconnected(connection);
  }
}

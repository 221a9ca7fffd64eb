import { expect } from 'vitest';
import { createConfig } from '../../src/config/load-config.ts';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import type { CloseName } from '../../src/connection/close-codes.ts';
import { Commands } from '../../src/connection/commands.ts';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import type { WebSocketProxy } from '../../src/connection/websocket-proxy.ts';
import type { QueryName } from '../../src/control/messages.ts';
import { SubscriptionManager } from '../../src/subscription/subscription-manager.ts';
import { StatisticsBlock } from '../../src/telemetry/statistics-block.ts';
import { collectingLogger } from './collected-lines.ts';
import { GatedSocket } from './gated-socket.ts';
import { textsOf } from './received-frames.ts';
import { connectionOn } from './test-connection.ts';
import { NO_WATCHER, TestTopics } from './test-topics.ts';

type Json = Record<string, unknown>;

/** One connection's commands, and what comes back; a test plays the primary. */
export class TestCommands {
  readonly config;
  readonly statistics = new StatisticsBlock(StatisticsBlock.allocate());
  readonly topics = new TestTopics();
  readonly subscriptions = new SubscriptionManager(this.topics.reader, NO_WATCHER);
  readonly logger = collectingLogger();
  readonly socket = new GatedSocket();
  readonly connection: PooledConnection;
  readonly commands: Commands;
  readonly closes: CloseName[] = [];
  readonly asked: { name: QueryName; payload: Json }[] = [];
  /** Whether the proxy takes the connection for one that does not read. */
  givesUp = false;
  /** How the primary answers. */
  answer: (name: QueryName, payload: Json) => Promise<Json> = async () => ({});
  #read = 0;

  constructor(options: ConfigOverrides = {}) {
    this.config = createConfig(options);
    const { commandsPerSecond } = this.config.limits;
    this.connection = connectionOn(this.socket, { commandsPerSecond });
    this.connection.proxy = { givesUpOn: () => this.givesUp } as unknown as WebSocketProxy;
    this.commands = new Commands({
      config: this.config,
      statistics: this.statistics,
      subscriptions: this.subscriptions,
      query: (name, payload) => {
        this.asked.push({ name, payload });
        return this.answer(name, payload);
      },
      close: (connection, name) => {
        connection.state = 'closing';
        this.closes.push(name);
      },
      log: this.logger,
    });
  }

  /** Sends a message, an object as JSON, and returns what came back at once. */
  send(message: unknown): Json[] {
    this.commands.handle(this.connection, typeof message === 'string' ? message : JSON.stringify(message));
    return this.replies();
  }

  /** Sends a message and expects the one reply to be exactly this, with a time of its own. */
  expectReply(message: unknown, type: string, payload: unknown, id?: string | number): void {
    expect(this.send(message)).toEqual([
      { type, payload, timestamp: expect.any(Number), ...(id === undefined ? {} : { id }) },
    ]);
  }

  /** Sends a message both without and with an id and expects the one reply to be exactly this. */
  expectReplies(message: Json, type: string, payload: unknown): void {
    this.expectReply(message, type, payload);
    this.expectReply({ ...message, id: 'named' }, type, payload, 'named');
    this.expectReply({ ...message, id: 0 }, type, payload, 0);
  }

  /** Replies that have come since the last look. */
  replies(): Json[] {
    const texts = textsOf(this.socket.received);
    const fresh = texts.slice(this.#read).map((text) => JSON.parse(text) as Json);
    this.#read = texts.length;
    return fresh;
  }
}

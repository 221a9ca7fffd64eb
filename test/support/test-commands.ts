import { expect } from 'vitest';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import type { PooledConnection } from '../../src/connection/pooled-connection.ts';
import type { WebSocketProxy } from '../../src/connection/websocket-proxy.ts';
import { GatedSocket } from './gated-socket.ts';
import { textsOf } from './received-frames.ts';
import { connectionOn } from './test-connection.ts';
import { TestShard, type TestShardOptions } from './test-shard.ts';

type Json = Record<string, unknown>;

/** One connection's commands on a shard, and what comes back; a test plays the primary. */
export class TestCommands {
  readonly shard: TestShard;
  readonly socket: GatedSocket;
  readonly connection: PooledConnection;
  readonly statistics;
  readonly subscriptions;
  readonly commands;
  readonly logger;
  readonly closes;
  /** Whether the proxy takes the connection for one that does not read. */
  givesUp = false;
  #read = 0;

  constructor(config: ConfigOverrides = {}, options: TestShardOptions = {}) {
    this.shard = new TestShard({ config, topicsMax: 1_024, ...options });
    const { statistics, subscriptions, commands, logger, closes } = this.shard;
    this.statistics = statistics;
    this.subscriptions = subscriptions;
    this.commands = commands;
    this.logger = logger;
    this.closes = closes;
    this.socket = new GatedSocket();
    const { commandsPerSecond } = this.shard.config.limits;
    this.connection = connectionOn(this.socket, { commandsPerSecond });
    this.connection.proxy = { givesUpOn: () => this.givesUp } as unknown as WebSocketProxy;
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

  /** Messages that have come since the last look. */
  replies(): Json[] {
    const texts = textsOf(this.socket.received);
    const fresh = texts.slice(this.#read).map((text) => JSON.parse(text) as Json);
    this.#read = texts.length;
    return fresh;
  }
}

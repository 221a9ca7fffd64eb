import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { ConnectionRow } from '../admin/admin-context.ts';
import type { DeflateNegotiation } from '../compression/negotiation.ts';
import type { Config } from '../config/schema.ts';
import type { ConnectionCounter } from '../control/connection-counter.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Epochs } from '../delivery/epochs.ts';
import type { SubscriptionManager } from '../subscription/subscription-manager.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { answerStatus } from './answer-status.ts';
import type { ClientAddresses } from './client-addresses.ts';
import { ClientWebSocket } from './client-websocket.ts';
import { type CloseName, closeOf, closeOfError, closeRow } from './close-codes.ts';
import { CommandBudget } from './command-budget.ts';
import type { Commands } from './commands.ts';
import { Farewell } from './farewell.ts';
import { Heartbeat } from './heartbeat.ts';
import { ignoreError } from './ignore-error.ts';
import type { Listener } from './listener.ts';
import { PooledConnection } from './pooled-connection.ts';
import { sendReply } from './reply.ts';

export interface WebSocketProxyParts {
  config: Config;
  shard: number;
  version: string;
  epochs: Pick<Epochs, 'current'>;
  statistics: StatisticsBlock;
  counter: ConnectionCounter;
  subscriptions: SubscriptionManager;
  delivery: Pick<Delivery, 'beginFirehose'>;
  /** Undefined: permessage-deflate is never agreed on. */
  negotiation: DeflateNegotiation | undefined;
  /** seq of the newest publication that this shard has passed on. */
  seq: () => number;
  commands: Commands;
  listener: Listener;
  addresses: ClientAddresses;
  /** Whether an address may have another connection; asked only where `limits.connectionsPerIp` is set. */
  admit: (address: string) => Promise<boolean>;
  /** A connection that was admitted has gone. */
  left: (address: string) => void;
  log: Logger;
}

/** Version of the wire protocol that `welcome` names. */
export const PROTOCOL_VERSION = 1;

/** How long a client has to answer a close frame, ms. */
const CLOSE_TIMEOUT_MS = 5_000;
/** When a client whose handshake is refused for want of memory may try again. */
const RETRY_AFTER = 'Retry-After: 5';
/** How long a close frame has to reach a client that is silent or does not read, ms. */
const GIVE_UP_MS = 1_000;

/**
 * Stage 8. The connections of one shard, from handshake to close. Runs on the shard's thread. In: upgrade requests and what
 * clients send. Out: a connection in its cohort. `ws` does the handshake and parses what comes in; data frames do not pass
 * through here, they go straight to the socket.
 */
export class WebSocketProxy {
  readonly #parts: WebSocketProxyParts;
  readonly #server: WebSocketServer;
  readonly #heartbeat: Heartbeat;
  readonly #connections = new Set<PooledConnection>();
  readonly #idPrefix: string;
  #nextId = 1;
  #draining = false;
  #farewell: Farewell | undefined;
  #refusing = false;

  constructor(parts: WebSocketProxyParts) {
    this.#parts = parts;
    const { config, shard } = parts;
    this.#idPrefix = `c_${randomBytes(6).toString('hex')}_${shard}_`;
    const options: ServerOptions<typeof ClientWebSocket> & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: parts.negotiation?.options ?? false,
      maxPayload: config.limits.payloadBytes,
      closeTimeout: CLOSE_TIMEOUT_MS,
      // `pinged` answers: for its own answers ws keeps a closure in each connection.
      autoPong: false,
      WebSocket: ClientWebSocket,
    };
    this.#server = new WebSocketServer(options) as WebSocketServer;
    parts.negotiation?.listenTo(this.#server);
    this.#heartbeat = new Heartbeat(config.heartbeat, this.#connections, (connection) => this.#timeOut(connection));
    parts.listener.onUpgrade((request, socket, head) => void this.#upgrade(request, socket, head));
  }

  /** Starts the heartbeat. The listener is opened by the shard when all is wired. */
  start(): void {
    this.#heartbeat.start();
  }

  get size(): number {
    return this.#connections.size;
  }

  /** One row a connection, oldest first. */
  rows(): ConnectionRow[] {
    return Array.from(this.#connections, (connection) => connection.row(this.#parts.shard));
  }

  /** Sends every client a message that is no reply. */
  tellAll(type: string, payload: object): void {
    for (const connection of this.#connections) sendReply(connection, type, payload, undefined);
  }

  /** Unsent bytes of all connections, read off their sockets. */
  pendingBytes(): number {
    let bytes = 0;
    for (const connection of this.#connections) bytes += connection.pendingBytes;
    return bytes;
  }

  /** Tells a connection why and closes it. Nothing more is delivered to it. Nothing happens to one that is closing. */
  close(connection: PooledConnection, name: CloseName): void {
    if (!isOpen(connection)) return;
    this.#beginClosing(connection, name);
    const { code, reason } = closeOf(name);
    connection.webSocket.close(code, reason);
  }

  /** While it refuses, handshakes are answered with 503; those that are connected notice nothing. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  /**
   * Begins to close every connection as `serverShutdown`, spread over `drainMs`. Handshakes that are under way are let in.
   * @param flush writes out everything that has been published
   */
  bidFarewell(drainMs: number, flush: () => void): void {
    const close = (connection: PooledConnection) => this.close(connection, 'serverShutdown');
    const { seq } = this.#parts;
    this.#farewell = new Farewell({ connections: this.#connections, flush, seq, close }, drainMs);
  }

  /** Closes every connection as `serverShutdown`, those that are still there. From here on handshakes are answered with 503. */
  closeAll(): void {
    this.#draining = true;
    this.#farewell?.stop();
    this.#heartbeat.stop();
    for (const connection of this.#connections) this.close(connection, 'serverShutdown');
  }

  /** Ends what has not closed by itself. */
  terminateAll(): void {
    for (const connection of this.#connections) connection.webSocket.terminate();
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { config, statistics, admit } = this.#parts;
    const address = this.#parts.addresses.of(request);
    try {
      const admitted = config.limits.connectionsPerIp === 0 || (await admit(address));
      if (this.#draining || this.#refusing) {
        this.#neverOpened(address, admitted);
        if (this.#refusing) statistics.add('handshakesRefusedForMemory');
        return answerStatus(socket, '503 Service Unavailable', this.#refusing ? RETRY_AFTER : undefined);
      }
      let opened = false;
      // The answer and the welcome leave in one write.
      socket.cork();
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        opened = true;
        this.#opened(webSocket as ClientWebSocket, socket as Socket, request, address, admitted);
      });
      socket.uncork();
      // ws answers what is no handshake with a status of its own; then there is no WebSocket.
      if (!opened) this.#neverOpened(address, admitted);
    } catch (thrown) {
      statistics.add('handshakesFailed');
      statistics.add('errors');
      this.#parts.log.error({ err: thrown, address }, 'WebSocket handshake failed');
      socket.destroy();
    }
  }

  #neverOpened(address: string, admitted: boolean): void {
    this.#parts.statistics.add('handshakesFailed');
    if (admitted) this.#leave(address);
  }

  #opened(
    webSocket: ClientWebSocket,
    socket: Socket,
    request: IncomingMessage,
    address: string,
    admitted: boolean,
  ): void {
    const { config, statistics, counter, shard } = this.#parts;
    // ws listens for them now, and a second listener takes a list of its own.
    socket.off('error', ignoreError);
    if (!admitted) return this.#turnAway(webSocket, address, 'tooManyFromAddress');
    if (!counter.enter(shard, config.limits.connections)) {
      this.#leave(address);
      return this.#turnAway(webSocket, address, 'atCapacity');
    }
    const nowMs = Date.now();
    const serial = this.#nextId++;
    const budget = new CommandBudget(config.limits.commandsPerSecond, nowMs);
    const id = `${this.#idPrefix}${serial}`;
    const connection = new PooledConnection(id, serial, webSocket, socket, address, budget, nowMs);
    connection.windowBits = this.#parts.negotiation?.windowBits ?? 0;
    this.#connections.add(connection);
    statistics.add('connectionsAccepted');
    statistics.add('connectionsOpen');
    statistics.add('connectedAtMsSum', nowMs);
    connection.proxy = this;
    webSocket.connection = connection;
    this.#welcome(connection, request);
  }

  #welcome(connection: PooledConnection, request: IncomingMessage): void {
    const { config, version, epochs, seq, log, shard } = this.#parts;
    try {
      connection.state = 'open';
      const { id: connectionId, connectedAt: serverTime, remoteAddress } = connection;
      const welcome = {
        connectionId,
        serverTime,
        proxyVersion: version,
        protocolVersion: PROTOCOL_VERSION,
        epoch: epochs.current,
        seq: seq(),
      };
      sendReply(connection, 'welcome', welcome, undefined);
      if (!isOpen(connection)) return;
      if (wantsEverything(request.url, config.defaultSubscription)) this.#joinFirehose(connection);
      log.info({ connectionId, remoteAddress, shard }, 'WebSocket connection opened');
      this.#farewell?.join(connection);
    } catch (thrown) {
      log.error({ err: thrown, connectionId: connection.id }, 'WebSocket connection set-up failed');
      this.close(connection, 'setupFailed');
    }
  }

  #joinFirehose(connection: PooledConnection): void {
    const { subscriptions, delivery } = this.#parts;
    subscriptions.joinFirehose(connection);
    delivery.beginFirehose(connection);
  }

  #turnAway(webSocket: WebSocket, remoteAddress: string, name: CloseName): void {
    const { statistics, log, shard } = this.#parts;
    statistics.add('connectionsRefused');
    statistics.add('errors');
    statistics.addClose(closeRow(name));
    const { code, reason } = closeOf(name);
    log.warn({ code, reason, remoteAddress, shard }, 'WebSocket connection refused');
    webSocket.close(code, reason);
  }

  /** @internal called by the connection's WebSocket */
  message(connection: PooledConnection, data: RawData): void {
    if (connection.state === 'open') this.#parts.commands.handle(connection, (data as Buffer).toString());
  }

  /** @internal called by the connection's WebSocket. @param data of the PING, which the PONG has too: RFC 6455 §5.5.3 */
  pinged(connection: PooledConnection, data: Buffer): void {
    if (!isOpen(connection) || this.givesUpOn(connection)) return;
    connection.webSocket.pong(data);
    this.#parts.commands.pinged(connection);
  }

  /** Whether the client has left so much unread that nothing more is to be written to it; then it has been closed. */
  givesUpOn(connection: PooledConnection): boolean {
    const { pendingBytes } = this.#parts.config.limits;
    if (pendingBytes === 0 || connection.pendingBytes <= pendingBytes) return false;
    this.close(connection, 'slowConsumer');
    return true;
  }

  /** @internal the close frame is on its way: RFC 6455 §5.5.1 allows no data behind it */
  closing(connection: PooledConnection): void {
    if (!isOpen(connection)) return;
    connection.state = 'closing';
    this.#parts.subscriptions.disconnect(connection);
    this.#parts.commands.disconnected(connection);
  }

  /** @internal called by the connection's WebSocket: ws has met a broken frame and answers it with a close of its own */
  failed(connection: PooledConnection, error: Error & { code?: string }): void {
    this.#parts.log.debug({ connectionId: connection.id, reason: error.message }, 'WebSocket connection broken');
    this.#beginClosing(connection, closeOfError(error.code));
  }

  /** @internal called by the connection's WebSocket */
  closed(connection: PooledConnection, code: number): void {
    const { statistics, counter, shard, log } = this.#parts;
    this.#beginClosing(connection, code === 1006 ? 'connectionLost' : 'clientClosed');
    connection.state = 'closed';
    this.#connections.delete(connection);
    counter.leave(shard);
    this.#leave(connection.remoteAddress);
    const durationMs = Date.now() - connection.connectedAt;
    statistics.add('connectionsOpen', -1);
    statistics.add('connectedAtMsSum', -connection.connectedAt);
    statistics.add('connectionsClosed');
    statistics.add('connectionDurationMsSum', durationMs);
    const { id: connectionId, messagesSent, bytesSent, closeName } = connection;
    log.info(
      { connectionId, code, why: closeName, durationMs, messagesSent, bytesSent },
      'WebSocket connection closed',
    );
  }

  /** Takes the connection off the data path and counts why, each of them once. */
  #beginClosing(connection: PooledConnection, name: CloseName): void {
    this.closing(connection);
    if (connection.closeName !== undefined) return;
    const { statistics } = this.#parts;
    connection.closeName = name;
    statistics.addClose(closeRow(name));
    if (closeOf(name).error) statistics.add('errors');
    if (name === 'slowConsumer') statistics.add('slowConsumersClosed');
    if (name === 'heartbeatTimeout') statistics.add('heartbeatTimeouts');
  }

  #timeOut(connection: PooledConnection): void {
    this.close(connection, 'heartbeatTimeout');
    setTimeout(() => connection.webSocket.terminate(), GIVE_UP_MS).unref();
  }

  #leave(address: string): void {
    if (this.#parts.config.limits.connectionsPerIp > 0) this.#parts.left(address);
  }
}

function isOpen({ state }: PooledConnection): boolean {
  return state === 'connecting' || state === 'open';
}

/** Everything for a connection that never sends a filter, unless its URL or the configuration says none. */
function wantsEverything(url: string | undefined, byDefault: Config['defaultSubscription']): boolean {
  const query = url?.split('?', 2)[1];
  const asked = query === undefined ? null : new URLSearchParams(query).get('subscription');
  return asked === 'all' || asked === 'none' ? asked === 'all' : byDefault === 'all';
}

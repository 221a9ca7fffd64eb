import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ForwardedReply, ForwardedRequest } from '../admin/forwarded-request.ts';
import type { Config } from '../config/schema.ts';
import type { HealthLevel } from '../telemetry/health.ts';
import { PHASE } from '../telemetry/shard-phases.ts';
import type { StatisticsBlock } from '../telemetry/statistics-block.ts';
import { ERROR_CODES, type ErrorCode } from '../util/errors.ts';
import { answerStatus } from './answer-status.ts';
import { ignoreError } from './ignore-error.ts';
import { answerHealth } from './public-health.ts';

export interface ListenerParts {
  config: Config;
  version: string;
  statistics: StatisticsBlock;
  /** How the gateway is; asked for each request that wants to know. */
  health: () => HealthLevel;
  /** Has the primary answer a request to the admin API. */
  forward: (request: ForwardedRequest) => Promise<ForwardedReply>;
}

type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

const API_PREFIX = '/api/';
const HEALTH_PATH = '/health';
/** Requests to the admin API that may wait for the primary at a time. */
const FORWARDED_MAX = 256;
const BODY_BYTES_MAX = 64 * 1024;
/** Connections of a shard, beyond `limits.connections`, that may be in a handshake or a request; more are dropped. */
const UNFINISHED_MAX = 2_048;
/** How often Node looks for requests that take too long, ms. */
const CHECK_INTERVAL_MS_MAX = 1_000;
/** Turns of the event loop without a new connection, after which nobody waits to be accepted. */
const QUIET_TURNS = 2;
/** How long a listener that stops goes on accepting while new connections keep coming, ms. */
const ACCEPT_WAITING_MS_MAX = 100;

/**
 * The TCP listener of one shard: every shard of every instance listens on the same port. Upgrades go to the WebSocketProxy,
 * requests under /api/ to the primary; `GET /health` it answers by itself, and everything else gets 404.
 */
export class Listener {
  readonly #parts: ListenerParts;
  readonly #server: Server;
  #forwarded = 0;
  #upgrade: UpgradeHandler | undefined;
  #stopped: Promise<void> | undefined;

  constructor(parts: ListenerParts) {
    const { config } = parts;
    this.#parts = parts;
    const { handshakeTimeoutMs, headerBytes } = config.server;
    this.#server = createServer({
      maxHeaderSize: headerBytes,
      headersTimeout: handshakeTimeoutMs,
      requestTimeout: handshakeTimeoutMs,
      connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS_MAX, handshakeTimeoutMs),
      noDelay: true,
    });
    const { connections } = config.limits;
    if (connections > 0) this.#server.maxConnections = connections + UNFINISHED_MAX;
    this.#server.on('drop', () => parts.statistics.add('handshakesFailed'));
    this.#server.on('upgrade', (request, socket, head) => this.#handleUpgrade(request, socket, head));
    this.#server.on('request', (request, response) => void this.#handleRequest(request, response));
    this.#server.on('clientError', (error, socket) => this.#refuseBroken(error, socket));
  }

  onUpgrade(handler: UpgradeHandler): void {
    this.#upgrade = handler;
  }

  /** Resolves with the port, or rejects with the error of `listen`. */
  listen(port: number, reusePort: boolean): Promise<number> {
    const { host, backlog } = this.#parts.config.server;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host, backlog, reusePort }, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as { port: number }).port);
      });
    });
  }

  /**
   * Takes no more connections; those that are open stay. Not `http.Server.close`, which on newer versions of Node also cuts
   * connections that were accepted but have not sent their request yet.
   */
  stopAccepting(): Promise<void> {
    this.#stopped ??= this.#stopAccepting();
    return this.#stopped;
  }

  async #stopAccepting(): Promise<void> {
    await this.#acceptWaiting();
    NetServer.prototype.close.call(this.#server);
    this.#server.closeIdleConnections();
  }

  /** Ends what is still in a handshake or a request. */
  closeAll(): void {
    this.#server.closeAllConnections();
  }

  /**
   * Lets those in whom the kernel holds ready: closing the listener would reset them. libuv accepts one a turn of the event
   * loop, so the queue is taken to be empty when two turns have brought nobody.
   */
  async #acceptWaiting(): Promise<void> {
    let quietTurns = 0;
    const accepted = () => {
      quietTurns = 0;
    };
    this.#server.on('connection', accepted);
    const deadlineMs = performance.now() + ACCEPT_WAITING_MS_MAX;
    while (quietTurns < QUIET_TURNS && performance.now() < deadlineMs) {
      quietTurns++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#server.off('connection', accepted);
  }

  #handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', ignoreError);
    if (pathOf(request.url) === this.#parts.config.server.path) {
      this.#parts.statistics.set('phase', PHASE.handshake);
      this.#upgrade!(request, socket, head);
      this.#parts.statistics.set('phase', PHASE.idle);
      return;
    }
    this.#parts.statistics.add('handshakesFailed');
    answerStatus(socket, '400 Bad Request');
  }

  async #handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', ignoreError);
    const path = pathOf(request.url);
    if (path === HEALTH_PATH) return this.#answerHealth(request, response);
    if (!path.startsWith(API_PREFIX)) {
      const upgradable = path === this.#parts.config.server.path;
      if (upgradable) response.setHeader('Upgrade', 'websocket');
      return answerError(response, upgradable ? 426 : 404, 'NOT_FOUND', upgradable ? 'WebSocket endpoint' : undefined);
    }
    if (this.#forwarded >= FORWARDED_MAX) return answerError(response, 503, 'REQUEST_FAILED', 'Too many requests wait');
    this.#forwarded++;
    try {
      await this.#answer(request, response);
    } catch (thrown) {
      answerError(response, 504, 'REQUEST_FAILED', thrown instanceof Error ? thrown.message : undefined);
    } finally {
      this.#forwarded--;
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (body === undefined)
      return answerError(response, 413, 'INVALID_REQUEST', `A body has up to ${BODY_BYTES_MAX} bytes`);
    const reply = await this.#parts.forward({
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers: request.headers,
      body,
      remoteAddress: request.socket.remoteAddress ?? '',
    });
    response.writeHead(reply.status, reply.headers);
    response.end(reply.body);
  }

  #answerHealth({ method }: IncomingMessage, response: ServerResponse): void {
    if (method === 'GET' || method === 'HEAD') {
      answerHealth(response, this.#parts.health(), this.#parts.version);
      return;
    }
    response.setHeader('Allow', 'GET, HEAD');
    answerError(response, 405, 'METHOD_NOT_ALLOWED');
  }

  /** A request that is not HTTP, too large or too slow. RFC 9110 §15.5. */
  #refuseBroken(error: Error & { code?: string }, socket: Duplex): void {
    this.#parts.statistics.add('handshakesFailed');
    if (!socket.writable || (socket as Socket).bytesWritten > 0) {
      socket.destroy();
      return;
    }
    answerStatus(socket, STATUS_OF_ERROR[error.code ?? ''] ?? '400 Bad Request');
  }
}

const STATUS_OF_ERROR: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** The part of a request's target before its query. */
function pathOf(url: string | undefined): string {
  return url?.split('?', 1)[0] ?? '/';
}

/**
 * The whole body, or undefined when it is larger than BODY_BYTES_MAX. That is read to its end too, and left: a connection
 * that is cut with bytes unread takes the answer with it. How long a request may take bounds it.
 */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes > BODY_BYTES_MAX ? undefined : Buffer.concat(chunks).toString();
}

function answerError(
  response: ServerResponse,
  status: number,
  code: ErrorCode,
  message: string = ERROR_CODES[code],
): void {
  if (response.headersSent || response.destroyed) return;
  const body = JSON.stringify({ error: { code, message } });
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', connection: 'close' });
  response.end(body);
}

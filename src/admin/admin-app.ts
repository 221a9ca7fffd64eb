/**
 * The admin API: status, statistics, health, metrics, connections, flush. Runs on the primary thread. In: requests that
 * shards forward from the shared port (see inject.ts), and those on a port of its own where one is configured. Out: JSON,
 * but for the metrics, which are Prometheus text.
 */
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { CloseRow } from '../connection/close-codes.ts';
import type { Aggregator } from '../telemetry/aggregator.ts';
import { assessHealth } from '../telemetry/health.ts';
import type { Logger } from '../telemetry/logger.ts';
import { GatewayMetrics } from '../telemetry/metrics.ts';
import { refusal, refusalAnswer } from './access.ts';
import type { AdminContext } from './admin-context.ts';
import { answerBrokenRequest, answerError } from './answer-error.ts';
import { errorBody } from './api-error.ts';
import { topConnections } from './connection-order.ts';
import { readConnectionsQuery } from './connections-query.ts';
import { statistics } from './statistics-answer.ts';

/** No request has a body that means anything; a small one is read and left. */
export const BODY_BYTES_MAX = 64 * 1024;

const REQUEST_TIMEOUT_MS = 10_000;
const PREFIX = '/api/websocket';
/** The paths of the API and what they allow. */
const ALLOWED_METHODS: Readonly<Record<string, string>> = {
  [`${PREFIX}/status`]: 'GET, HEAD',
  [`${PREFIX}/stats`]: 'GET, HEAD',
  [`${PREFIX}/health`]: 'GET, HEAD',
  [`${PREFIX}/metrics`]: 'GET, HEAD',
  [`${PREFIX}/connections`]: 'GET, HEAD',
  [`${PREFIX}/flush`]: 'POST',
};

/**
 * Ready for `inject` and for `listen`; the caller closes it.
 * @param closeRows the close-code table, in the order in which the statistics blocks count
 * @param log gets what went wrong inside a handler
 */
export function createAdminApp(
  context: AdminContext,
  aggregator: Aggregator,
  closeRows: readonly CloseRow[],
  log?: Logger,
): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    frameworkErrors: (error, request, reply) => answerError(error, request, reply, log),
    clientErrorHandler: answerBrokenRequest,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined));
  app.addHook('onRequest', async (request, reply) => admit(request, reply, context.config.admin.token));
  app.setErrorHandler((error, request, reply) => answerError(error as Error, request, reply, log));
  app.setNotFoundHandler(answerUnknown);
  addReads(app, context, aggregator, new GatewayMetrics(context, aggregator, closeRows));
  addFlush(app, context);
  return app;
}

function addReads(app: FastifyInstance, context: AdminContext, aggregator: Aggregator, metrics: GatewayMetrics): void {
  app.get(`${PREFIX}/status`, async () => ({
    status: context.running() ? 'available' : 'unavailable',
    port: context.port(),
    clients: aggregator.activeConnections(),
    endpoint: context.config.server.path,
  }));
  app.get(`${PREFIX}/stats`, async () => statistics(context, aggregator));
  app.get(`${PREFIX}/health`, async (_request, reply) => {
    const health = assessHealth(context, aggregator);
    reply.code(health.status === 'unhealthy' ? 503 : 200);
    return health;
  });
  app.get(`${PREFIX}/metrics`, async (_request, reply) => {
    reply.type(metrics.contentType);
    return metrics.render();
  });
  app.get(`${PREFIX}/connections`, async (request) => {
    const { limit, sort } = readConnectionsQuery(request.query as Record<string, unknown>);
    const { connections, silentShards } = await context.connections(limit, sort);
    return {
      connections: topConnections(connections, sort, limit),
      total: aggregator.activeConnections(),
      limit,
      sort,
      silentShards,
    };
  });
}

function addFlush(app: FastifyInstance, context: AdminContext): void {
  app.post(`${PREFIX}/flush`, async () => context.flush());
}

function admit(request: FastifyRequest, reply: FastifyReply, token: string): FastifyReply | undefined {
  reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
  const { headers } = request;
  const refused = refusal({ remoteAddress: request.raw.socket.remoteAddress, headers }, token);
  if (refused === undefined) return undefined;
  const answer = refusalAnswer(refused);
  return reply.code(answer.status).headers(answer.headers).send(answer.body);
}

function answerUnknown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?', 1)[0] ?? '';
  const { method } = request;
  if (!Object.hasOwn(ALLOWED_METHODS, path)) {
    return reply.code(404).send(errorBody('NOT_FOUND', undefined, { path, paths: Object.keys(ALLOWED_METHODS) }));
  }
  const allowed = ALLOWED_METHODS[path] as string;
  reply.header('allow', allowed);
  return reply.code(405).send(errorBody('METHOD_NOT_ALLOWED', undefined, { method, allowed }));
}

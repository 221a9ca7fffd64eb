/**
 * The admin API: status, statistics, health, metrics, connections, flush. Runs on the primary thread. In: requests that
 * shards forward from the shared port (see inject.ts), and those on a port of its own where one is configured. Out: JSON,
 * but for the metrics, which are Prometheus text. What it tells is so of all instances on the port, unless asked otherwise.
 */
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Logger } from '../telemetry/logger.ts';
import { METRICS_CONTENT_TYPE } from '../telemetry/metrics.ts';
import { refusal, refusalAnswer } from './access.ts';
import { answerBrokenRequest, answerError } from './answer-error.ts';
import { errorBody } from './api-error.ts';
import { CONNECTIONS_PARAMETERS, readConnectionsQuery } from './connections-query.ts';
import type { MachineAnswers } from './machine-answers.ts';
import { readScope } from './scope.ts';

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
 * @param token that opens the API to other machines; empty: there is none
 * @param log gets what went wrong inside a handler
 */
export function createAdminApp(answers: MachineAnswers, token: string, log?: Logger): FastifyInstance {
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
  app.addHook('onRequest', async (request, reply) => admit(request, reply, token));
  app.setErrorHandler((error, request, reply) => answerError(error as Error, request, reply, log));
  app.setNotFoundHandler(answerUnknown);
  addReads(app, answers);
  app.post(`${PREFIX}/flush`, async ({ query }) => answers.flush(readScope(query)));
  return app;
}

function addReads(app: FastifyInstance, answers: MachineAnswers): void {
  app.get(`${PREFIX}/status`, async ({ query }) => answers.status(readScope(query)));
  app.get(`${PREFIX}/stats`, async ({ query }) => answers.statistics(readScope(query)));
  app.get(`${PREFIX}/health`, async ({ query }, reply) => {
    const health = await answers.health(readScope(query));
    reply.code(health.status === 'unhealthy' ? 503 : 200);
    return health;
  });
  app.get(`${PREFIX}/metrics`, async ({ query }, reply) => {
    const text = await answers.metrics(readScope(query));
    reply.type(METRICS_CONTENT_TYPE);
    return text;
  });
  app.get(`${PREFIX}/connections`, async ({ query }) =>
    answers.connections(
      readScope(query, CONNECTIONS_PARAMETERS),
      readConnectionsQuery(query as Record<string, unknown>),
    ),
  );
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

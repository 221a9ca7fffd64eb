import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../telemetry/logger.ts';
import { ApiError, errorBody } from './api-error.ts';

/** Answers what a handler, or Fastify itself, has thrown. Only what is the gateway's own fault is logged. */
export function answerError(
  thrown: Error & { statusCode?: number },
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger | undefined,
): FastifyReply {
  if (thrown instanceof ApiError) return reply.code(thrown.status).send(thrown.body);
  const status = thrown.statusCode ?? 500;
  if (status < 500) return reply.code(status).send(errorBody('INVALID_REQUEST', thrown.message));
  log?.error({ err: thrown, method: request.method, url: request.url }, 'WebSocket admin request failed');
  return reply.code(500).send(errorBody('REQUEST_FAILED', 'The gateway could not answer the request'));
}

const STATUS_OF_CODE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Answers what is not HTTP, on the admin API's own port. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF_CODE[error.code ?? ''] ?? '400 Bad Request';
  const body = JSON.stringify(errorBody('INVALID_REQUEST'));
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nConnection: close`;
  socket.end(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

import type { FastifyInstance, InjectOptions } from 'fastify';
import { errorMessage } from '../util/errors.ts';
import { BODY_BYTES_MAX } from './admin-app.ts';
import { errorBody } from './api-error.ts';
import type { ForwardedReply, ForwardedRequest } from './forwarded-request.ts';

/** Headers that speak of one connection, or of how the body travelled on it: RFC 9110 §7.6.1. */
const CONNECTION_HEADERS = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Stands for a peer without an address. Any text will do that is not loopback: inject takes "" for 127.0.0.1. */
const NO_ADDRESS = 'unknown';

/** Runs a request that a shard has forwarded through the app. Never rejects: what goes wrong is an error reply. */
export async function answerForwarded(app: FastifyInstance, request: ForwardedRequest): Promise<ForwardedReply> {
  if (Buffer.byteLength(request.body) > BODY_BYTES_MAX) {
    return errorReply(413, 'INVALID_REQUEST', `A body has up to ${BODY_BYTES_MAX} bytes`);
  }
  try {
    const reply = await app.inject({
      method: request.method as NonNullable<InjectOptions['method']>,
      url: request.url,
      headers: requestHeaders(request.headers),
      remoteAddress: request.remoteAddress === '' ? NO_ADDRESS : request.remoteAddress,
      ...(request.body === '' ? {} : { payload: request.body }),
    });
    return { status: reply.statusCode, headers: replyHeaders(reply.headers), body: reply.payload };
  } catch (thrown) {
    // A request target that is no URL, or a method that HTTP does not know.
    return errorReply(400, 'INVALID_REQUEST', `The request cannot be read: ${errorMessage(thrown)}`);
  }
}

function requestHeaders(headers: ForwardedRequest['headers']): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !CONNECTION_HEADERS.has(name.toLowerCase())) kept[name] = value;
  }
  return kept;
}

function replyHeaders(headers: Readonly<Record<string, unknown>>): ForwardedReply['headers'] {
  const kept: ForwardedReply['headers'] = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || (CONNECTION_HEADERS.has(name) && name !== 'content-length')) continue;
    kept[name] = Array.isArray(value) ? value.map(String) : String(value);
  }
  return kept;
}

function errorReply(status: number, code: 'INVALID_REQUEST', message: string): ForwardedReply {
  const body = JSON.stringify(errorBody(code, message));
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body };
}

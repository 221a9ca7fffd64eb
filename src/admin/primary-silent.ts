import { errorBody } from './api-error.ts';
import type { ForwardedReply, ForwardedRequest } from './forwarded-request.ts';

const HEALTH = /^\/api\/websocket\/health\/?(?:\?|$)/;

/** What a shard answers to any request while the primary is silent: it is unhealthy, and nothing else is known. */
export function primarySilentAnswer({ url }: Pick<ForwardedRequest, 'url'>, silentMs: number): ForwardedReply {
  return {
    status: 503,
    headers: {
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
    },
    body: JSON.stringify({
      ...(HEALTH.test(url) ? { status: 'unhealthy' } : {}),
      ...errorBody('PRIMARY_SILENT', undefined, { silentMs }),
    }),
  };
}

/**
 * What clients send, read: JSON objects with a `type` (or `action`), and the short forms of ping that older clients use.
 * Nothing here throws, and nothing of the message is copied into objects of ours.
 */
export interface ClientMessage {
  type: string;
  /** The request's name for its reply; undefined where it has none. */
  id: string | number | undefined;
  /** The object under `payload`, or the message itself where there is none. */
  payload: Record<string, unknown>;
}

/** Why a message cannot be read: for the `detail` of an INVALID_MESSAGE error. */
export interface MessageProblem {
  problem: string;
  id: string | number | undefined;
}

/** Longest `id`, in characters. */
export const ID_LENGTH_MAX = 64;

const PING: ClientMessage = { type: 'ping', id: undefined, payload: {} };

export function readClientMessage(text: string): ClientMessage | MessageProblem {
  if (text === 'ping') return PING;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { problem: 'not JSON', id: undefined };
  }
  if (!isObject(parsed)) return { problem: 'not a JSON object', id: undefined };
  const id = parsed.id ?? undefined;
  if (id !== undefined && !isId(id)) {
    return {
      problem: `"id" is neither a finite number nor a string of up to ${ID_LENGTH_MAX} characters`,
      id: undefined,
    };
  }
  const type = parsed.type ?? parsed.action ?? shortPing(parsed);
  if (typeof type !== 'string' || type === '') return { problem: '"type" is not a string, or is empty', id };
  const { payload } = parsed;
  if (payload === undefined || payload === null) return { type, id, payload: parsed };
  if (!isObject(payload)) return { problem: '"payload" is not an object', id };
  return { type, id, payload };
}

export function isProblem(message: ClientMessage | MessageProblem): message is MessageProblem {
  return 'problem' in message;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(id: unknown): id is string | number {
  return Number.isFinite(id) || (typeof id === 'string' && id.length <= ID_LENGTH_MAX);
}

/** `{op:'ping'}` and `{method:'ping'}` are pings; other values of these keys are no type of ours. */
function shortPing(message: Record<string, unknown>): string | undefined {
  return message.op === 'ping' || message.method === 'ping' ? 'ping' : undefined;
}

import { asFields, type Fields } from './fields.ts';

/** What one message of a server is to the comparison. */
export type WireMessage =
  | {
      readonly kind: 'publication';
      readonly type: string | undefined;
      readonly payload: Fields;
      readonly merged: number;
    }
  /** So many publications of a topic will not come; `payload` names it. */
  | { readonly kind: 'gap'; readonly type: string | undefined; readonly payload: Fields; readonly count: number }
  /** A reply, a greeting, a status: counted by its type and not compared. */
  | { readonly kind: 'other'; readonly type: string; readonly message: Fields }
  | { readonly kind: 'unusable' };

/** What servers of both kinds say beside data. A publication of such a type is told apart by its `seq`. */
const CONTROL_TYPES: ReadonlySet<string> = new Set([
  ...['welcome', 'ack', 'ping', 'pong', 'error', 'serverShutdown', 'heartbeat'],
  ...['subscribed', 'unsubscribed', 'subscriptions', 'snapshot', 'ledger'],
  ...['stats', 'adapterStatus', 'systemStats', 'gap', 'batch'],
]);
const STATUS_TYPE = /_status$/;
/** Fields of which a publication has at least one. */
const PUBLICATION_FIELDS = ['exchange', 'symbol', 'data'] as const;
/** What an envelope adds; in a flat message it stands among the publication's own fields. */
const ENVELOPE_FIELDS = ['seq', 'prevSeq', 'merged', 'snapshot', 'resumeSeq'] as const;
/** What a server adds about itself: when it got the publication, how long that took. */
const LOCAL_FIELDS = ['receivedAt', 'latency', 'metadata'] as const;
/** What stands for "no type" where a message has to have one. */
const NO_TYPE = 'data';

/**
 * Reads a message in either shape: `{type, payload, timestamp}`, or flat, the publication itself. Fields that belong to
 * the server rather than to the publication are left out.
 */
export function readWireMessage(text: string): WireMessage {
  const message = parse(text);
  if (message === undefined) return { kind: 'unusable' };
  const type = typeof message.type === 'string' ? message.type : undefined;
  const enveloped = asFields(message.payload);
  const isNumbered = enveloped !== undefined && typeof message.seq === 'number';
  if (type === 'gap' && !isNumbered && isGap(enveloped)) return gapOf(enveloped);
  if (isNumbered && message.snapshot === true) return { kind: 'other', type: 'snapshot', message };
  const payload = enveloped ?? message;
  if ((!isNumbered && isControl(type)) || !PUBLICATION_FIELDS.some((field) => payload[field] !== undefined)) {
    return { kind: 'other', type: type ?? '(none)', message };
  }
  const merged = isNumbered && isCount(message.merged) ? message.merged : 0;
  return {
    kind: 'publication',
    type: typeOf(payload) ?? typeOf(message),
    payload: ownFields(payload, message),
    merged,
  };
}

function parse(text: string): Fields | undefined {
  try {
    return asFields(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function isControl(type: string | undefined): boolean {
  return type !== undefined && (CONTROL_TYPES.has(type) || STATUS_TYPE.test(type));
}

function isGap(payload: Fields | undefined): payload is Fields & { count: number } {
  return payload !== undefined && isCount(payload.count) && payload.reason !== undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function gapOf(payload: Fields & { count: number }): WireMessage {
  const type = typeof payload.dataType === 'string' ? payload.dataType : undefined;
  return { kind: 'gap', type, payload, count: payload.count };
}

function typeOf({ type }: Fields): string | undefined {
  return typeof type === 'string' && type !== NO_TYPE ? type : undefined;
}

function ownFields(payload: Fields, message: Fields): Fields {
  for (const field of LOCAL_FIELDS) delete payload[field];
  if (payload === message) for (const field of ENVELOPE_FIELDS) delete payload[field];
  return payload;
}

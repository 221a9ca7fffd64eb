/**
 * Why the gateway closes a connection: one row a reason. `reconnect` tells a client what to do: at once, after a pause, or
 * not before something has changed. A row's place is its index in the statistics, so rows are only added at the end.
 * docs/protocol.md has the same table, and a test holds the two together.
 */
export interface CloseRow {
  readonly name: string;
  /** RFC 6455 §7.4; 1006 stands for a connection that ended without a close frame. */
  readonly code: number;
  readonly reason: string;
  readonly reconnect: 'at once' | 'with back-off' | 'no';
  /** True where it counts as an error of the connection (`errorsEncountered` of the statistics). */
  readonly error: boolean;
}

export const CLOSES = [
  { name: 'clientClosed', code: 1000, reason: '', reconnect: 'no', error: false },
  { name: 'serverShutdown', code: 1001, reason: 'Server shutting down', reconnect: 'with back-off', error: false },
  { name: 'atCapacity', code: 1013, reason: 'Server at capacity', reconnect: 'with back-off', error: true },
  {
    name: 'tooManyFromAddress',
    code: 1008,
    reason: 'Too many connections from this address',
    reconnect: 'with back-off',
    error: true,
  },
  { name: 'setupFailed', code: 1011, reason: 'Server error', reconnect: 'with back-off', error: true },
  { name: 'slowConsumer', code: 1013, reason: 'Slow consumer', reconnect: 'at once', error: true },
  { name: 'rateLimited', code: 1008, reason: 'Rate limit exceeded', reconnect: 'with back-off', error: true },
  { name: 'heartbeatTimeout', code: 1001, reason: 'Heartbeat timeout', reconnect: 'at once', error: true },
  { name: 'messageTooLarge', code: 1009, reason: '', reconnect: 'no', error: true },
  { name: 'protocolError', code: 1002, reason: '', reconnect: 'no', error: true },
  { name: 'invalidUtf8', code: 1007, reason: '', reconnect: 'no', error: true },
  { name: 'connectionLost', code: 1006, reason: '', reconnect: 'at once', error: false },
] as const satisfies readonly CloseRow[];

export type CloseName = (typeof CLOSES)[number]['name'];

const rowOfName = new Map<string, number>(CLOSES.map(({ name }, row) => [name, row]));

/** Index of a reason in the table, and in the statistics. */
export function closeRow(name: CloseName): number {
  return rowOfName.get(name)!;
}

export function closeOf(name: CloseName): CloseRow {
  return CLOSES[closeRow(name)] as CloseRow;
}

/** Errors of the ws package that say why it closes, by their code. */
const CLOSE_OF_ERROR: Readonly<Record<string, CloseName>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 'messageTooLarge',
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 'messageTooLarge',
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 'messageTooLarge',
  WS_ERR_INVALID_UTF8: 'invalidUtf8',
};

/** Why a connection ends that ws has met this error on: a broken frame, or one of the socket's. */
export function closeOfError(code = ''): CloseName {
  return CLOSE_OF_ERROR[code] ?? (code.startsWith('WS_ERR') ? 'protocolError' : 'connectionLost');
}

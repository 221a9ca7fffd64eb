/** How a server is spoken to, where it puts a protocol of its own into WebSocket messages. */
export interface Dialect {
  /** Sent as soon as the connection is open. */
  readonly hello: string | undefined;
  /** The subscription is sent once a message that begins so has come; undefined: at once. */
  readonly readyHead: string | undefined;
  /** A message that begins so is a delivery, any other is the protocol's own; undefined: all are deliveries but gaps. */
  readonly dataHead: Uint8Array | undefined;
  /** What the server asks to learn whether the client is there, and the answer to it. */
  readonly ping: string | undefined;
  readonly pong: string;
  /** Bytes that stand behind a data frame's JSON object. */
  readonly tailBytes: number;
  /** @param message a subscription, as JSON text */
  subscription(message: string): string;
}

/** `plain`: the gateway's own. `socket.io`: Engine.IO 4 below Socket.IO 5, over a WebSocket from the first byte on. */
export const DIALECTS = {
  plain: {
    hello: undefined,
    readyHead: undefined,
    dataHead: undefined,
    ping: undefined,
    pong: '',
    tailBytes: 0,
    subscription: (message) => message,
  },
  'socket.io': {
    hello: '40',
    readyHead: '40',
    dataHead: Buffer.from('42'),
    ping: '2',
    pong: '3',
    tailBytes: 1,
    subscription: (message) => `42["subscribe",${message}]`,
  },
} as const satisfies Record<string, Dialect>;

export type DialectName = keyof typeof DIALECTS;

export function isDialect(name: string): name is DialectName {
  return Object.hasOwn(DIALECTS, name);
}

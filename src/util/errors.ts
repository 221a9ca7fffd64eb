import { inspect } from 'node:util';

/**
 * Every error code of Tickcast, in one table. A code is a promise: users match on it. `docs/errors.md` lists them, and a
 * test holds the two together.
 */
export const ERROR_CODES = {
  // The start: exit status 2 for what was asked, 1 for what the machine refused.
  INVALID_OPTION: 'An option has a value that is not allowed, or does not exist',
  CONFIG_FILE_UNREADABLE: 'The configuration file cannot be read or is not YAML',
  NODE_TOO_OLD: 'The Node.js that runs the gateway is older than it needs',
  PORT_IN_USE: 'The port belongs to another program',
  PORT_REFUSED: 'The operating system refuses to listen there',
  SHARD_START_FAILED: 'A shard did not come up in time',
  RUN_DIRECTORY_REFUSED: 'The directory where instances find each other cannot be used',
  COMPRESSION_UNAVAILABLE: 'This Node.js cannot compress as compression.mode asks for, so everything goes out plain',
  INVALID_STATE: 'The call does not fit the state of the object, such as a second start',

  // Publications, on their way in.
  PUBLICATION_NOT_OBJECT: 'A publication is a JSON object',
  PUBLICATION_NOT_SERIALISABLE: 'The publication cannot be written as JSON (a circle, a BigInt, a throwing toJSON)',
  PUBLICATION_TOO_LARGE: 'The publication is larger than limits.payloadBytes',
  PUBLICATION_INVALID: 'The publication has a field of the wrong type',
  TOPIC_LIMIT_REACHED: 'There are as many topics as ring.topics allows',

  // DataFlow.
  CHANNEL_EXISTS: 'An output channel with this id is registered already',
  CHANNEL_FAILED: 'An output channel threw or rejected',
  CHANNEL_TIMED_OUT: 'An output channel did not finish in time when it was closed',
  QUEUE_OVERFLOW: 'The queue of slow output channels is full, so the oldest publication went',
  LISTENER_FAILED: 'A listener to a DataFlow event threw or rejected',
  RULE_FAILED: 'A routing rule threw',
  TRANSFORMER_FAILED: 'A transformer threw',

  // Sources.
  SOURCE_FAILED: 'The source stopped with an error',
  SOURCE_LINE_INVALID: 'A line of the source is not a JSON object',
  SOURCE_LINE_TOO_LONG: 'A line of the source is longer than source.ndjson.lineBytes',
  SOURCE_FEEDER_REFUSED: 'There are as many feeders connected as source.ndjson.connections allows',
  RECORDING_UNREADABLE: 'The recording cannot be read or is not in the format',
  RECORDING_LINE_INVALID: 'A line of the recording is not in the format, or its message cannot be normalised',

  // Replies to clients: the `code` of an `error` message.
  INVALID_MESSAGE: 'Invalid message format',
  UNKNOWN_MESSAGE_TYPE: 'The type of the message is not known',
  INVALID_SUBSCRIPTION: 'The subscription has a wrong shape',
  TOO_MANY_SUBSCRIPTIONS: 'The connection has as many subscriptions as limits.subscriptionsPerConnection allows',
  RATE_LIMIT_EXCEEDED: 'Too many messages. Please slow down.',
  REQUEST_FAILED: 'The gateway could not answer the request in time',

  // The admin API.
  UNAUTHORIZED: 'The admin API answers loopback without forwarding headers, or a bearer token',
  NOT_FOUND: 'There is nothing at this path',
  METHOD_NOT_ALLOWED: 'The path does not know this method',
  INVALID_REQUEST: 'The request has a wrong shape',
  PRIMARY_SILENT: 'The primary thread hangs, so the gateway cannot answer',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An operating error: something outside the program is not as it should be. `detail` names the offending part. */
export class TickcastError extends Error {
  override readonly name = 'TickcastError';
  readonly code: ErrorCode;
  readonly detail: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string = ERROR_CODES[code], detail?: Record<string, unknown>, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.detail = detail;
  }
}

/** The message of anything that can be thrown. */
export function errorMessage(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  // String() itself throws for an object without a prototype.
  return typeof thrown === 'string' ? thrown : inspect(thrown);
}

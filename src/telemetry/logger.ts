/** What the stages log through. The primary's is pino; a shard's sends its lines to the primary. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export interface Logger {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
}

/** Fields first, then the sentence. Errors go under the key `err`. */
export type LogMethod = (fields: Record<string, unknown>, message: string) => void;

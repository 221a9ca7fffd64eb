import type { Logger } from './logger.ts';

/** The last error that an operator should see: what is logged at ERROR or above. */
export class LastError {
  #last: { message: string; timestamp: number } | undefined;

  /** Message, and ms since the epoch. */
  get last(): { message: string; timestamp: number } | undefined {
    return this.#last;
  }

  /** A logger that passes everything on. */
  watch(logger: Logger): Logger {
    const remember =
      (method: Logger['error']): Logger['error'] =>
      (fields, message) => {
        this.#last = { message, timestamp: Date.now() };
        method(fields, message);
      };
    return { ...logger, error: remember(logger.error), fatal: remember(logger.fatal) };
  }
}

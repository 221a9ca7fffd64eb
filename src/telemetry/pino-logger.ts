/**
 * The log of the gateway. Runs on the primary thread. In: lines of the primary's stages, and those that shards forward.
 * Out: JSON lines, `level` as an upper-case word first, then `time`, the fields, and `msg` last.
 */
import { type Logger as Pino, pino, stdTimeFunctions } from 'pino';
import type { Config } from '../config/schema.ts';
import { errorMessage } from '../util/errors.ts';
import { appendedFile, type LogDestination, tellOperator } from './log-file.ts';
import type { Logger } from './logger.ts';

export interface GatewayLogger extends Logger {
  /** A logger that adds `fields` to each of its lines. */
  child(fields: Record<string, unknown>): Logger;
  /** Resolves when what was logged has left the process, or cannot, within a second. */
  flush(): Promise<void>;
  /** Lines so far that could not be written: a full disk, a reader that has gone away. */
  linesLost(): number;
  /** Opens log.file again under its name, after it was rotated. Without a file nothing happens. */
  reopen(): void;
}

const FLUSH_MS_MAX = 1_000;

/** Throws INVALID_OPTION where log.file cannot be opened for appending. */
export function createLogger(options: Pick<Config['log'], 'level' | 'file'>): GatewayLogger {
  const destination = options.file === '' ? standardOutput() : appendedFile(options.file);
  const lines = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
    },
    destination,
  );
  return {
    ...methodsOf(lines),
    child: (fields) => methodsOf(lines.child(fields)),
    flush: () => destination.flush(),
    linesLost: () => destination.lost,
    reopen: () => destination.reopen(),
  };
}

function methodsOf(lines: Pino): Logger {
  return {
    trace: (fields, message) => lines.trace(fields, message),
    debug: (fields, message) => lines.debug(fields, message),
    info: (fields, message) => lines.info(fields, message),
    warn: (fields, message) => lines.warn(fields, message),
    error: (fields, message) => lines.error(fields, message),
    fatal: (fields, message) => lines.fatal(fields, message),
  };
}

let standardOutputEnded = false;
let standardOutputGuarded = false;

/**
 * Through the stream, not straight to descriptor 1: pm2's cluster mode replaces `process.stdout.write`, and what goes
 * past it lands in the wrong file. A reader that has gone away (`| head`) ends the log, not the gateway. What a full disk
 * refuses is lost, counted, and told once until lines go through again, as with a file.
 */
function standardOutput(): LogDestination {
  if (!standardOutputGuarded) {
    standardOutputGuarded = true;
    process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') standardOutputEnded = true;
    });
  }
  let failing = false;
  let lost = 0;
  const written = (error?: NodeJS.ErrnoException | null) => {
    if (error != null) lost++;
    if (error != null && error.code !== 'EPIPE' && !failing) {
      tellOperator(`standard output cannot be written: ${errorMessage(error)}`);
    }
    failing = error != null;
  };
  return {
    get lost() {
      return lost;
    },
    write(line) {
      if (standardOutputEnded) lost++;
      else process.stdout.write(line, 'utf8', written);
    },
    flush: standardOutputDrained,
    reopen() {},
  };
}

function standardOutputDrained(): Promise<void> {
  return new Promise((resolve) => {
    if (standardOutputEnded || process.stdout.writableLength === 0) return resolve();
    const finish = () => {
      clearTimeout(timer);
      process.stdout.off('drain', finish).off('error', finish);
      resolve();
    };
    const timer = setTimeout(finish, FLUSH_MS_MAX);
    // Lines written before this one are out when it is; `drain` comes only after a full buffer.
    process.stdout.once('drain', finish).once('error', finish).write('', 'utf8', finish);
  });
}

import { closeSync, openSync, writeSync } from 'node:fs';
import { findOption } from '../config/options.ts';
import { configurationError, valueProblem } from '../config/reading.ts';
import { errorMessage } from '../util/errors.ts';

/** Where lines go. A destination that fails loses lines, never the gateway. */
export interface LogDestination {
  write(line: string): void;
  /** Lines so far that could not be written. */
  readonly lost: number;
  flush(): Promise<void>;
  reopen(): void;
}

/**
 * Appends to `path`. Each line is written before the call returns: a crash leaves none behind, and a line costs some
 * microseconds. pino's own file destination keeps what a full disk refuses and tries without end; here such a line is
 * lost, and the operator is told once, on standard error, until lines go through again.
 * @throws TickcastError INVALID_OPTION where the file cannot be opened
 */
export function appendedFile(path: string): LogDestination {
  let descriptor = openForAppending(path);
  let failing = false;
  let lost = 0;
  return {
    get lost() {
      return lost;
    },
    write(line) {
      try {
        writeWhole(descriptor, Buffer.from(line));
        failing = false;
      } catch (thrown) {
        if (!failing) tellOperator(`log.file: ${path} cannot be written: ${errorMessage(thrown)}`);
        failing = true;
        lost++;
      }
    },
    async flush() {},
    reopen() {
      try {
        const opened = openSync(path, 'a');
        closeSync(descriptor);
        descriptor = opened;
      } catch (thrown) {
        tellOperator(`log.file: ${path} cannot be opened again: ${errorMessage(thrown)}`);
      }
    },
  };
}

function writeWhole(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}

function openForAppending(path: string): number {
  try {
    return openSync(path, 'a');
  } catch (thrown) {
    const allowed = `a file that can be opened for appending (${errorMessage(thrown)})`;
    throw configurationError([valueProblem(findOption('log.file')!, path, 'tried at the start', allowed)]);
  }
}

/** The log itself is what fails here, so standard error it is, in the form of what the command line says there. */
export function tellOperator(sentence: string): void {
  process.stderr.write(`tickcast: ${sentence}\n`, () => {});
}

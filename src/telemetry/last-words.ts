import { write } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Config } from '../config/schema.ts';

/** How long each way may take, ms: a pipe that nobody reads would hold the writer up for ever. */
const WRITE_MS_MAX = 500;
const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;

/**
 * Writes one line of the log at FATAL past the logger, whose thread stands still: to `log.file`, to the file that pm2 keeps
 * standard output in (in cluster mode it takes that over in the program; descriptor 1 is its daemon's), or to standard output,
 * and to standard error where that does not work in time, or the log is silent. Resolves in little more than a second at most, and
 * never rejects.
 */
export async function writeLastWords(
  { level, file }: Pick<Config['log'], 'level' | 'file'>,
  fields: Record<string, unknown>,
  message: string,
): Promise<void> {
  const head = { level: 'FATAL', time: new Date().toISOString(), pid: process.pid };
  const line = `${JSON.stringify({ ...head, ...fields, msg: message })}\n`;
  const path = file === '' ? process.env.pm_out_log_path : file;
  const toLog = () => (path === undefined ? writeTo(STANDARD_OUTPUT, line) : appendFile(path, line));
  if (level !== 'silent' && (await isDoneInTime(toLog()))) return;
  await isDoneInTime(writeTo(STANDARD_ERROR, line));
}

/** On a thread of the pool, which alone waits where nobody reads. */
async function writeTo(descriptor: number, line: string): Promise<void> {
  const bytes = Buffer.from(line);
  for (let written = 0; written < bytes.length; ) {
    written += (await promisify(write)(descriptor, bytes, written)).bytesWritten;
  }
}

function isDoneInTime(work: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), WRITE_MS_MAX);
    work
      .then(
        () => resolve(true),
        () => resolve(false),
      )
      .finally(() => clearTimeout(timer));
  });
}

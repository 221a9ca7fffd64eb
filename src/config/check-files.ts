import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { findOption } from './options.ts';
import { type Problem, valueProblem } from './reading.ts';
import type { Config } from './schema.ts';

/**
 * Files that the configuration names and the gateway could not use. Looks only, writes nothing: a file that goes away
 * later is the business of whoever opens it.
 */
export function fileProblems(config: Config, origins: ReadonlyMap<string, string>): Problem[] {
  const problems: Problem[] = [];
  const check = (name: string, path: string, why: string | undefined) => {
    if (why !== undefined) problems.push(valueProblem(findOption(name)!, path, origins.get(name) ?? 'default', why));
  };
  const { kind, recording } = config.source;
  if (kind === 'recording' && recording.file !== '')
    check('source.recording.file', recording.file, whyUnreadable(recording.file));
  if (config.log.file !== '') check('log.file', config.log.file, whyUnwritable(config.log.file));
  return problems;
}

function whyUnreadable(path: string): string | undefined {
  if (isDirectory(path) || !isAccessible(path, constants.R_OK)) return 'a file that exists and can be read';
  return undefined;
}

function whyUnwritable(path: string): string | undefined {
  if (isDirectory(path)) return 'a file, not a directory';
  const exists = isAccessible(path, constants.F_OK);
  if (exists) return isAccessible(path, constants.W_OK) ? undefined : 'a file that can be written';
  const directory = dirname(path);
  return isDirectory(directory) && isAccessible(directory, constants.W_OK)
    ? undefined
    : 'a file in a directory that exists and can be written';
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

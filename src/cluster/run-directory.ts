import { lstatSync, mkdirSync, type Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { errorMessage, TickcastError } from '../util/errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const DIRECTORY_MODE = 0o700;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Path of the run directory, made where it is missing.
 * @param option `cluster.runDir`
 * @throws TickcastError RUN_DIRECTORY_REFUSED where it cannot be made, or cannot be trusted
 */
export function openRunDirectory(option: string, env: Environment = process.env, uid = ownUid()): string {
  const path = runDirectoryPath(option, env, uid);
  try {
    mkdirSync(path, { mode: DIRECTORY_MODE });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST')
      throw runDirectoryRefused(path, errorMessage(thrown), thrown);
  }
  const problem = whyDistrusted(path, uid);
  if (problem !== undefined) throw runDirectoryRefused(path, problem);
  return path;
}

/**
 * Why what is in the directory could be somebody else's work; undefined where it is this user's alone. Asked again before
 * each look into it: the directory above it may belong to others.
 */
export function whyDistrusted(path: string, uid = ownUid()): string | undefined {
  let found: Stats;
  try {
    found = lstatSync(path);
  } catch (thrown) {
    return errorMessage(thrown);
  }
  if (found.isSymbolicLink()) return 'it is a symbolic link';
  if (!found.isDirectory()) return 'it is not a directory';
  if (found.uid !== uid) return `it belongs to another user (uid ${found.uid}; this process has ${uid})`;
  const mode = found.mode & 0o777;
  return (mode & WRITABLE_BY_OTHERS) === 0 ? undefined : `others may write to it (mode ${mode.toString(8)})`;
}

export function runDirectoryRefused(path: string, problem: string, cause?: unknown): TickcastError {
  const wanted = 'a directory that belongs to this user and that nobody else may write to; see cluster.runDir';
  const message = `Instances cannot find each other in ${path}: ${problem}; needed is ${wanted}`;
  return new TickcastError('RUN_DIRECTORY_REFUSED', message, { path, problem }, cause);
}

/** Systems without users have no instances that share a port. */
export function ownUid(): number {
  return process.getuid?.() ?? 0;
}

/** A variable that came along from another user's session names a directory that is not ours: it does not count. */
function runDirectoryPath(option: string, { XDG_RUNTIME_DIR: runtime = '' }: Environment, uid: number): string {
  if (option !== '') return resolve(option);
  if (isAbsolute(runtime) && whyDistrusted(runtime, uid) === undefined) return join(runtime, 'tickcast');
  return join(tmpdir(), `tickcast-${uid}`);
}

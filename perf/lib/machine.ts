import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

/** Where a figure was measured: without it, it says nothing. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryMib: number;
  kernel: string;
  node: string;
}

export function describeMachine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryMib: Math.round(totalmem() / 1024 ** 2),
    kernel: `${process.platform} ${release()}`,
    node: process.version,
  };
}

/**
 * The commit that is checked out in a directory, with `+` behind it when files differ from it; `unknown` outside a
 * repository.
 */
export function gitCommit(directory = '.'): string {
  try {
    const commit = git(directory, 'rev-parse', '--short=12', 'HEAD');
    const changes = git(directory, 'status', '--porcelain', '--untracked-files=no', '--', ':!perf/results');
    return changes === '' ? commit : `${commit}+`;
  } catch {
    return 'unknown';
  }
}

function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

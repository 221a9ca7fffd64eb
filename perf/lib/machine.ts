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

/** The commit that is checked out, with `+` behind it when files differ from it; `unknown` outside a repository. */
export function gitCommit(): string {
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD');
    return git('status', '--porcelain', '--untracked-files=no', '--', ':!perf/results') === '' ? commit : `${commit}+`;
  } catch {
    return 'unknown';
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

import { mkdirSync } from 'node:fs';
import { relative } from 'node:path';
import { PROJECT_DIRECTORY } from './project-directory.ts';

const PROFILES_DIRECTORY = `${PROJECT_DIRECTORY}perf/profiles`;

/** Makes a new directory for what a tool writes, below perf/profiles, and returns its path. */
export function createProfileDirectory(tool: string): string {
  const stamp = new Date().toISOString().slice(0, -1).replaceAll(/[:.]/g, '-');
  const directory = `${PROFILES_DIRECTORY}/${tool}-${stamp}`;
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** The path as it is typed in the project's directory. */
export function shownPath(path: string): string {
  return relative(PROJECT_DIRECTORY, path);
}

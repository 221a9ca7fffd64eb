import { mkdirSync, writeFileSync } from 'node:fs';
import type { BenchmarkResult, ResultDocument } from './benchmark.ts';
import { describeMachine, gitCommit } from './machine.ts';

const RESULTS_DIRECTORY = new URL('../results/', import.meta.url);
/** Smoke figures are no figures: they stay out of the repository. */
const SMOKE_DIRECTORY = new URL('tmp/', RESULTS_DIRECTORY);

/** Writes one benchmark's figures, with where and how they were measured. Returns the file. */
export function writeResult(name: string, command: string, smoke: boolean, result: BenchmarkResult): URL {
  const directory = smoke ? SMOKE_DIRECTORY : RESULTS_DIRECTORY;
  mkdirSync(directory, { recursive: true });
  const file = new URL(`${name}.json`, directory);
  const document: ResultDocument = {
    benchmark: name,
    command,
    date: new Date().toISOString(),
    commit: gitCommit(),
    machine: describeMachine(),
    ...result,
  };
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  return file;
}

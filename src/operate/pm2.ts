import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Listed } from './settings.ts';

/** The name in ecosystem.config.js. */
const APP = 'tickcast';
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const LIST_MS_MAX = 60_000;

/** The folder of this release. */
export const RELEASE = resolve(`${import.meta.dirname}/../..`);
const PM2 = join(RELEASE, 'node_modules/pm2/bin/pm2');

/** Our instances, also those that wait to be started again. @throws Error where pm2 does not answer */
export function listInstances(): Listed[] {
  const { stdout, stderr, error } = spawnSync(process.execPath, [PM2, 'jlist'], {
    encoding: 'utf8',
    timeout: LIST_MS_MAX,
    maxBuffer: ANSWER_BYTES_MAX,
  });
  // A daemon that is started for this says so in lines before.
  const line = stdout?.split('\n').findLast((text) => text.startsWith('[{') || text === '[]');
  if (line === undefined) throw new Error(`pm2 does not list its processes: ${error?.message ?? stderr}`);
  return (JSON.parse(line) as Listed[]).filter(({ name }) => name === APP);
}

/** `start` or `reload` of all instances, by the ecosystem file of this release. @returns pm2's status */
export function applyEcosystem(command: 'start' | 'reload', env: NodeJS.ProcessEnv): number {
  return run([command, join(RELEASE, 'ecosystem.config.js'), '--update-env'], env);
}

/** @returns pm2's status; not 0 also where there was nothing to delete */
export function deleteInstances(): number {
  return run(['delete', APP], process.env);
}

function run(args: readonly string[], env: NodeJS.ProcessEnv): number {
  return spawnSync(process.execPath, [PM2, ...args], { env, stdio: 'inherit' }).status ?? 1;
}

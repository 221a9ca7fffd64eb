import { spawnSync } from 'node:child_process';

const MISSING =
  'promtool is missing, and nothing else tells whether alerts and dashboards are right. ' +
  'It is part of Prometheus: apt-get install --no-install-recommends prometheus, or from prometheus.io';

/** Runs promtool, which has to succeed. Throws what it says otherwise, and what to install where it is missing. */
export function promtool(...argv: string[]): string {
  const { error, status, stdout, stderr } = spawnSync('promtool', argv, { encoding: 'utf8', timeout: 20_000 });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') throw new Error(MISSING);
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`promtool ${argv.join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

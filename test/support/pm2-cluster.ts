import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { type Ending, TestProcess } from './child-process.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BIN = join(ROOT, 'node_modules/.bin');
const CLUSTER_SCRIPT = new URL('../../src/operate/cluster.ts', import.meta.url);
const COMMAND_MS_MAX = 120_000;

export interface Instance {
  pid: number;
  status: string;
  restarts: number;
}

/** The gateway under pm2 as the ecosystem file has it, with a daemon of its own; ended with the test. */
export class Pm2Cluster {
  readonly home = mkdtempSync(join(tmpdir(), 'tickcast-pm2-'));
  readonly #env: Record<string, string>;

  private constructor(env: Record<string, string>) {
    const { HOME = '' } = process.env;
    const path = [BIN, process.env.PATH].join(delimiter);
    this.#env = { PATH: path, HOME, PM2_HOME: this.home, ...env };
  }

  /** @param env of the instances: TICKCAST_INSTANCES and options. @param prepare called before anything runs */
  static async start(env: Record<string, string>, prepare: (home: string) => void = () => {}): Promise<Pm2Cluster> {
    const cluster = Pm2Cluster.empty(env);
    prepare(cluster.home);
    await cluster.#pm2('start', 'ecosystem.config.js');
    return cluster;
  }

  /** A daemon that runs nothing yet. */
  static empty(env: Record<string, string> = {}): Pm2Cluster {
    const cluster = new Pm2Cluster(env);
    onTestFinished(() => cluster.#end(), 60_000);
    return cluster;
  }

  /** `npm run cluster:…`, from a shell that exports nothing else. */
  script(command: 'start' | 'reload' | 'stop', env: Record<string, string> = {}): Promise<Ending> {
    return new TestProcess(CLUSTER_SCRIPT, [command], { ...this.#env, ...env }).ended;
  }

  /** By the ecosystem file itself. */
  async reload(): Promise<void> {
    await this.#pm2('reload', 'ecosystem.config.js', '--update-env');
  }

  async instances(): Promise<Instance[]> {
    const listed = JSON.parse(await this.#pm2('jlist')) as {
      pid: number;
      pm2_env: { status: string; restart_time: number };
    }[];
    return listed.map(({ pid, pm2_env: { status, restart_time } }) => ({ pid, status, restarts: restart_time }));
  }

  /** What all instances have logged so far. */
  log(): string {
    return readFileSync(join(this.home, 'logs/tickcast.log'), 'utf8');
  }

  async #pm2(...argv: string[]): Promise<string> {
    const pm2 = [join(ROOT, 'node_modules/pm2/bin/pm2'), ...argv];
    const options = { cwd: ROOT, env: this.#env, timeout: COMMAND_MS_MAX, maxBuffer: 16 * 1024 * 1024 };
    return (await run(process.execPath, pm2, options)).stdout;
  }

  async #end(): Promise<void> {
    await this.#pm2('kill');
    rmSync(this.home, { recursive: true, force: true });
  }
}

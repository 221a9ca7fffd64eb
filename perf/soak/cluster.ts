import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { processBirth } from '../lib/process-birth.ts';
import { childrenOf } from '../lib/process-tree.ts';
import { PROJECT_DIRECTORY } from '../lib/project-directory.ts';

/** One process of the gateway. */
export interface Instance {
  /** Its place, which it passes on to the process that a reload puts into it. */
  slot: number;
  pid: number;
  /** Where its own admin API listens. */
  adminPort: number;
}

interface AppOptions {
  env: Record<string, string>;
}

/** What pm2 says of a process, as far as it is read here. */
interface Listed {
  pid: number;
  pm_id: number;
  pm2_env: { status: string };
}

const NAME = 'tickcast-soak';
const PM2 = `${PROJECT_DIRECTORY}node_modules/pm2/bin/pm2`;
const COMMAND_TIMEOUT_MS = 120_000;
const ANSWER_BYTES_MAX = 16 * 1024 ** 2;
const READY_TIMEOUT_MS = 20_000;
const END_TIMEOUT_MS = 10_000;
const LOOK_MS = 50;
const LOG_CHARS_SHOWN = 4_000;

/**
 * The gateway under pm2, as `ecosystem.config.js` runs it but for the script, with a pm2 of its own in a directory that is
 * removed at the end. Ends only what it has started.
 */
export class Cluster {
  readonly #directory = mkdtempSync(join(tmpdir(), 'tickcast-soak-'));
  readonly #home = join(this.#directory, 'pm2');
  /** Every process there has been, and pm2's own, by what tells them from later ones of the same number. */
  readonly #births = new Map<number, string | undefined>();

  constructor() {
    process.on('exit', () => this.#killAll());
  }

  /**
   * Starts the processes; resolves when all of them listen.
   * @param env options of the gateway
   */
  async start(instances: number, env: Record<string, string>): Promise<Instance[]> {
    const { apps } = (await import(`${PROJECT_DIRECTORY}ecosystem.config.js`)) as { apps: AppOptions[] };
    const [app] = apps;
    const log = join(this.#directory, 'gateway.log');
    const soak = {
      ...app,
      name: NAME,
      script: 'perf/soak/gateway-main.ts',
      instances,
      out_file: log,
      error_file: log,
      env: { ...app?.env, ...env, SOAK_DIRECTORY: this.#directory },
    };
    const file = join(this.#directory, 'soak.config.json');
    writeFileSync(file, JSON.stringify({ apps: [soak] }));
    await this.#pm2('start', file);
    return this.instances();
  }

  /** Replaces the processes one after another, as a deploy does. */
  async reload(): Promise<Instance[]> {
    await this.#pm2('reload', NAME);
    return this.instances();
  }

  /** The processes that there are now. @throws Error where one does not come up */
  async instances(): Promise<Instance[]> {
    const listed = await this.#listed();
    return Promise.all(
      listed.map(async ({ pid }, slot) => {
        return { slot, pid, adminPort: await this.#adminPort(pid) };
      }),
    );
  }

  /** @returns false where the process has ended */
  signal(pid: number, signal: NodeJS.Signals): boolean {
    const isThere = this.isRunning(pid);
    if (isThere) process.kill(pid, signal);
    return isThere;
  }

  /** Whether a process that this has started is there still. */
  isRunning(pid: number): boolean {
    const birth = this.#births.get(pid);
    return birth !== undefined && processBirth(pid) === birth;
  }

  /** The end of what the processes have logged, to show when something is wrong. */
  get log(): string {
    const file = join(this.#directory, 'gateway.log');
    return existsSync(file) ? readFileSync(file, 'utf8').slice(-LOG_CHARS_SHOWN) : '';
  }

  /** Ends the processes in order, and pm2 with them. @returns what was left and had to be killed */
  async stop(): Promise<number[]> {
    await this.#pm2('delete', NAME).catch(() => {});
    await this.#pm2('kill').catch(() => {});
    const deadlineMs = performance.now() + END_TIMEOUT_MS;
    while (this.#left().length > 0 && performance.now() < deadlineMs) await sleep(LOOK_MS);
    const killed = this.#left();
    this.#killAll();
    return killed;
  }

  async #listed(): Promise<Listed[]> {
    const output = await this.#pm2('jlist');
    const line = output.split('\n').findLast((text) => text.startsWith('[{') || text === '[]') ?? '[]';
    return (JSON.parse(line) as Listed[])
      .filter(({ pm2_env }) => pm2_env.status === 'online')
      .sort((a, b) => a.pm_id - b.pm_id);
  }

  async #adminPort(pid: number): Promise<number> {
    const file = join(this.#directory, `${pid}.port`);
    const deadlineMs = performance.now() + READY_TIMEOUT_MS;
    while (!existsSync(file)) {
      if (performance.now() > deadlineMs) throw new Error(`gateway ${pid} has not come up:\n${this.log}`);
      await sleep(LOOK_MS);
    }
    return Number(readFileSync(file, 'utf8'));
  }

  async #pm2(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, [PM2, ...args], this.#commandOptions());
    this.#rememberAll();
    return stdout;
  }

  #commandOptions() {
    const env = { ...process.env, PM2_HOME: this.#home, PM2_DISABLE_VERSION_CHECK: 'true', NODE_OPTIONS: '' };
    return {
      cwd: PROJECT_DIRECTORY,
      env,
      timeout: COMMAND_TIMEOUT_MS,
      maxBuffer: ANSWER_BYTES_MAX,
      encoding: 'utf8',
    } as const;
  }

  /** pm2's own process, and all that it has started. */
  #rememberAll(): void {
    const file = join(this.#home, 'pm2.pid');
    const daemon = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
    for (const pid of daemon === 0 ? [] : [daemon, ...childrenOf(daemon)]) this.#remember(pid);
  }

  #remember(pid: number): void {
    if (!this.#births.has(pid)) this.#births.set(pid, processBirth(pid));
  }

  /** Those that have not ended. */
  #left(): number[] {
    return [...this.#births.keys()].filter((pid) => this.isRunning(pid));
  }

  /** At once, and also while this process exits. */
  #killAll(): void {
    this.#rememberAll();
    for (const pid of this.#left()) process.kill(pid, 'SIGKILL');
    this.#births.clear();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const STOP_TIMEOUT_MS = 15_000;
const OUTPUT_CHARS_MAX = 4_096;

const running = new Set<Child>();
// What a benchmark started must not outlive it.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

export interface ChildOptions extends SpawnOptions {
  /** `killed`: it gets a process group of its own, and what it starts is killed with it. */
  group?: 'none' | 'killed';
}

/** A process that a benchmark started. Its last output is kept, to show when something goes wrong. */
export class Child {
  readonly process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #group: NonNullable<ChildOptions['group']>;
  #output = '';
  #failure: Error | undefined;

  constructor(command: string, args: readonly string[], options: ChildOptions = {}) {
    const { group = 'none', ...spawnOptions } = options;
    this.#group = group;
    this.process = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
      detached: group !== 'none',
      ...spawnOptions,
    });
    running.add(this);
    const keep = (chunk: Buffer) => {
      this.#output = (this.#output + chunk).slice(-OUTPUT_CHARS_MAX);
    };
    this.process.stdout?.on('data', keep);
    this.process.stderr?.on('data', keep);
    this.process.on('error', (error) => {
      this.#failure = error;
    });
    this.#ended = once(this.process, 'close').catch(() => {});
    this.process.on('close', () => running.delete(this));
  }

  /** 0 where it could not be started. */
  get pid(): number {
    return this.process.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#failure !== undefined || this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** The end of what it wrote, and why it could not be started. */
  get output(): string {
    return [this.#failure?.message, this.#output.trim()].filter(Boolean).join('\n');
  }

  kill(signal: NodeJS.Signals): void {
    if (this.hasEnded || this.pid === 0) return;
    try {
      const all = this.#group === 'killed' && signal === 'SIGKILL';
      process.kill(all ? -this.pid : this.pid, signal);
    } catch {
      // It has ended in the meantime.
    }
  }

  /** Waits until it has ended and its output is read. */
  async end(): Promise<void> {
    await this.#ended;
  }

  /** Asks it to stop, and kills it when it does not. Resolves when it has ended. */
  async stop(signal: NodeJS.Signals = 'SIGINT', timeoutMs = STOP_TIMEOUT_MS): Promise<void> {
    this.kill(signal);
    await this.endWithin(timeoutMs);
  }

  /** Waits until it has ended by itself, and kills it when it does not. */
  async endWithin(timeoutMs: number): Promise<void> {
    const late = new AbortController();
    const stopped = this.#ended.then(() => late.abort());
    await Promise.race([stopped, sleep(timeoutMs, undefined, { signal: late.signal }).catch(() => {})]);
    this.kill('SIGKILL');
    await this.#ended;
  }
}

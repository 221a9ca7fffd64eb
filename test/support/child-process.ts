import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** How a process ended, and what it said. */
export interface Ending {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A process of ours under the Node.js that runs the tests; killed with the test if it has not ended by then. */
export class TestProcess {
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #stdout = '';
  #stderr = '';

  /** @param env beside PATH and HOME; nothing else of this process's environment is passed on */
  constructor(script: URL, argv: readonly string[] = [], env: Record<string, string> = {}) {
    const { PATH = '', HOME = '' } = process.env;
    this.#child = spawn(process.execPath, [fileURLToPath(script), ...argv], {
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (status, signal) =>
        resolve({ status, signal, stdout: this.#stdout, stderr: this.#stderr }),
      );
    });
    onTestFinished(() => {
      this.#child.kill('SIGKILL');
    });
  }

  /** Its standard output so far. */
  get output(): string {
    return this.#stdout;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Nobody reads its standard output from here on. */
  closeOutput(): void {
    this.#child.stdout.destroy();
  }

  /** Resolves once its standard output holds the text; rejects when it ends without. */
  said(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.#stdout.includes(text)) resolve();
      };
      look();
      this.#child.stdout.on('data', look);
      this.ended.then((ending) => reject(new Error(`ended before it said ${text}: ${JSON.stringify(ending)}`)), reject);
    });
  }
}

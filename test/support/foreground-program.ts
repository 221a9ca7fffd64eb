import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';

const PATIENCE_MS = 10_000;
/** Where Debian keeps daemons, which is not on everybody's path. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Path of an installed program; tests that need it fail without. @param debianPackage the one that brings it */
export function installedProgram(name: string, debianPackage: string): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  const found = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (found === undefined) {
    const install = `apt-get install --no-install-recommends ${debianPackage}`;
    throw new Error(`these tests run ${name}, which is not installed here: ${install}`);
  }
  return found;
}

/** Runs a program to its end. Throws with what it said where that is not well. */
export function runProgram(program: string, argv: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(program, argv, { encoding: 'utf8', timeout: PATIENCE_MS });
  if (status !== 0) throw new Error(`${program} ${argv.join(' ')}: status ${status}: ${stdout}${stderr}`);
}

/** A daemon that was told to stay in the foreground; ended with the test, by its pid, and so are its own children. */
export class ForegroundProgram {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #hasEnded = false;
  #said = '';

  constructor(program: string, argv: readonly string[]) {
    this.#child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text;
      });
    }
    this.#ended = new Promise((resolve) => {
      const end = () => {
        this.#hasEnded = true;
        resolve();
      };
      this.#child.on('error', (error) => {
        this.#said += error.message;
        end();
      });
      this.#child.on('exit', end);
    });
    onTestFinished(() => this.#end());
  }

  /** How often it has said this so far. */
  count(text: string): number {
    return this.#said.split(text).length - 1;
  }

  /** Resolves once it takes connections on the port. */
  listens(port: number): Promise<void> {
    return this.until(() => connects(port), `a listener on ${port}`);
  }

  /** Looks again and again until it holds; rejects when the program ends, or patience does. */
  async until(look: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await look())) {
      if (this.#hasEnded) throw new Error(`ended before ${what}: ${this.#said}`);
      if (performance.now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms for ${what}: ${this.#said}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** SIGTERM first: a master that is killed leaves its workers behind. */
  async #end(): Promise<void> {
    this.#child.kill('SIGTERM');
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    await this.#ended;
    clearTimeout(kill);
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

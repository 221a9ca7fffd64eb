import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { processBirth } from '../../src/cluster/process-birth.ts';
import { formatSocketName, type SocketName } from '../../src/cluster/socket-name.ts';

/** A directory of this user's alone, gone with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tc-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The name that an instance of this process would give its socket. */
export function socketName(fields: Partial<SocketName> = {}): SocketName {
  return { port: 8080, process: 7, pid: process.pid, birth: processBirth(process.pid)!, serial: 999, ...fields };
}

export function socketPath(directory: string, fields: Partial<SocketName> = {}): string {
  return join(directory, formatSocketName(socketName(fields)));
}

/** Listens at the path, and gone with the test. */
export async function listenAt(path: string, server: Server = createServer()): Promise<Server> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  onTestFinished(() => void server.close());
  return server;
}

/** A socket file that nobody listens at, as a process leaves it that is killed. */
export async function leaveSocketAt(path: string): Promise<void> {
  const server = await listenAt(`${path}.living`);
  renameSync(`${path}.living`, path);
  await new Promise((resolve) => server.close(resolve));
}

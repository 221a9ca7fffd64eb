import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child-process.ts';
import { freePort } from './free-port.ts';
import { messagesPerWrite } from './gateway-metrics.ts';
import { PROJECT_DIRECTORY } from './project-directory.ts';

const READY_TIMEOUT_MS = 20_000;
const LOOK_MS = 25;

export const GATEWAY_FILE = 'src/main.ts';
const BASELINE_DIRECTORY = 'perf/baseline';

/** A server under test, in a process of its own on 127.0.0.1. */
export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  /** Where the server can tell; since it started. */
  messagesPerWrite?(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts the gateway with these options beside a free port, and waits until it is healthy.
 * @param directory another checkout, whose gateway is to be run by the same Node.js
 */
export async function startGateway(
  options: Record<string, string | number>,
  directory = PROJECT_DIRECTORY,
): Promise<ServerProcess> {
  const port = await freePort();
  const child = new Child(process.execPath, [GATEWAY_FILE, ...gatewayArguments(port, options)], { cwd: directory });
  const server = await whenReady(child, port, () => isHealthy(port));
  return { ...server, messagesPerWrite: () => messagesPerWrite(port) };
}

/** The gateway's command-line arguments; only warnings are logged. */
export function gatewayArguments(port: number, options: Record<string, string | number>): string[] {
  const all = { 'server.port': port, 'server.host': '127.0.0.1', 'log.level': 'warn', ...options };
  return Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

export interface BaselineOptions {
  rate: number;
  symbols: number;
  payloadBytes: number;
}

/** The servers that Tickcast is compared with. */
export type BaselineName = 'ws-broadcast' | 'socket-io' | 'faye';

/**
 * Starts a broadcast server of another make; without a name, that of `ws`. It is killed in the end: it has nothing to
 * leave in order, and one that cannot keep up would not hear of a signal for seconds.
 * @param flags further arguments
 */
export async function startBaseline(
  options: BaselineOptions,
  name: BaselineName = 'ws-broadcast',
  flags: readonly string[] = [],
): Promise<ServerProcess> {
  const port = await freePort();
  const args = ['--port', port, '--rate', options.rate, '--symbols', options.symbols];
  args.push('--payload-bytes', options.payloadBytes);
  const file = `${BASELINE_DIRECTORY}/${name}.ts`;
  const child = new Child(process.execPath, [file, ...args.map(String), ...flags], inProject());
  const server = await whenReady(child, port, () => isHealthy(port));
  return { ...server, stop: () => child.stop('SIGKILL') };
}

/**
 * Starts a program that is called as `PROGRAM PORT RATE SIZE TICK_US` and writes RATE messages of SIZE bytes a second to
 * every connection, one write a connection and tick.
 */
export async function startFloor(program: string, rate: number, bytes: number, tickUs: number): Promise<ServerProcess> {
  const port = await freePort();
  const child = new Child(program, [port, rate, bytes, tickUs].map(String), inProject());
  return whenReady(child, port, () => accepts(port));
}

/** Waits until `isReady`; throws with the process's output when it ends before, or does not come up in time. */
export async function waitUntilReady(child: Child, isReady: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await isReady())) {
    if (child.hasEnded || performance.now() > deadlineMs) {
      await child.stop('SIGKILL');
      throw new Error(`${child.process.spawnargs.join(' ')} did not come up:\n${child.output}`);
    }
    await sleep(LOOK_MS);
  }
}

/** Whether the server at `port` answers 200 to a health check. */
export async function isHealthy(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/api/websocket/health`, {
      signal: AbortSignal.timeout(1_000),
      headers: { connection: 'close' },
    });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

async function whenReady(child: Child, port: number, isReady: () => Promise<boolean>): Promise<ServerProcess> {
  await waitUntilReady(child, isReady);
  return { pid: child.pid, port, stop: () => child.stop() };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function inProject(): { cwd: string } {
  return { cwd: PROJECT_DIRECTORY };
}

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../lib/child-process.ts';
import { round } from '../lib/figures.ts';
import { freePort } from '../lib/free-port.ts';
import { runLoad } from '../lib/load-process.ts';
import { PROJECT_DIRECTORY } from '../lib/project-directory.ts';
import { GATEWAY_FILE, gatewayArguments, isHealthy, waitUntilReady } from '../lib/server-process.ts';
import type { Row } from '../lib/table.ts';
import { type Step, usByStep } from './steps.ts';
import { profileThreads } from './thread-profiles.ts';

/** Of a connection that comes in, in the order in which they are looked for; the innermost counts. */
const STEPS: readonly Step[] = [
  {
    name: 'Node: send of answer and welcome',
    begins: /^(?:Socket\._writeGeneric|Socket\._writev|Socket\._write) node:net/,
  },
  { name: 'ours: address, with a system call', begins: /^of .*\/client-addresses\.ts$/ },
  { name: 'ours: log line to the primary', begins: /\/forwarding-logger\.ts$/ },
  { name: 'ours: connection, welcome', begins: /^#opened .*\/websocket-proxy\.ts$/ },
  { name: 'ours: the rest of the handshake', begins: /^#handleUpgrade .*\/listener\.ts$/ },
  { name: 'ws: check, SHA-1, WebSocket, Receiver, Sender', begins: /^handleUpgrade .*\/ws\/lib\// },
  { name: 'Node: accept, Socket', begins: /^onconnection node:net/ },
  { name: 'Node: HTTP request', begins: /^(?:onParserExecute|parserOnHeaders\w*|parserOnMessage\w*) node:/ },
  { name: 'V8: garbage collection', begins: /^\(garbage collector\)/ },
  { name: 'kernel, libuv: accept, epoll, read', begins: /^\(program\)/ },
];
const RATE = 2_500;
/** Before they come, so that the code is compiled. */
const WARM_UP = 2_000;
/** What the inspector takes to open, beside the time of the connections themselves. */
const MARGIN_S = 2;
const LEAD_MS = 700;

/** What one connection costs its shard until it is open, by step. @param connections opened under the profiler */
export async function handshakeCost(connections: number): Promise<Row[]> {
  const [port, inspectPort] = [await freePort(), await freePort()];
  const options = { 'source.kind': 'none', shards: 1, 'limits.connections': 0, 'log.level': 'info' };
  const args = [`--inspect-port=${inspectPort}`, GATEWAY_FILE, ...gatewayArguments(port, options)];
  const gateway = new Child(process.execPath, args, { cwd: PROJECT_DIRECTORY });
  const path = '/ws?subscription=none';
  const load = { port, connectRate: RATE, path, subscribe: 'none', warmupS: 0, seconds: MARGIN_S };
  try {
    await waitUntilReady(gateway, () => isHealthy(port));
    await runLoad({ ...load, connections: WARM_UP, seconds: 0.1 });
    const profiling = profileThreads('cpu', gateway.pid, inspectPort, connections / RATE + MARGIN_S);
    await sleep(LEAD_MS);
    await runLoad({ ...load, connections });
    const shard = (await profiling).find(({ thread }) => thread.startsWith('shard'))!;
    const us = usByStep(readFileSync(shard.file, 'utf8'), STEPS);
    const rows = STEPS.map(
      ({ name }): Row => ({ step: name, 'µs a connection': round((us.get(name) ?? 0) / connections) }),
    );
    const all = [...us.values()].reduce((sum, each) => sum + each, 0);
    return [...rows, { step: 'all', 'µs a connection': round(all / connections) }];
  } finally {
    await gateway.stop();
  }
}

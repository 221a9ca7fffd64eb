import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../lib/child-process.ts';
import { freePort } from '../lib/free-port.ts';
import { runLoad } from '../lib/load-process.ts';
import { processUsage } from '../lib/process-usage.ts';
import { createProfileDirectory } from '../lib/profile-directory.ts';
import { PROJECT_DIRECTORY } from '../lib/project-directory.ts';
import { GATEWAY_FILE, gatewayArguments, isHealthy, waitUntilReady } from '../lib/server-process.ts';
import type { Row } from '../lib/table.ts';
import type { LoadMarks } from '../load/load-run.ts';
import { bytesByOwner, idsOf } from './heap-owners.ts';
import { type InspectedThread, Inspector } from './inspector.ts';
import { slabBytes, slabs } from './slabs.ts';

/** What of the heap is whose, by the names of classes. */
const OWNERS: Readonly<Record<string, string>> = {
  'Node / TCPSocketWrap': 'libuv: the handle, and Node’s part of it',
  TCP: 'libuv: the handle, and Node’s part of it',
  Socket: 'Node: Socket, its streams’ states, listeners, address',
  ClientWebSocket: 'ws: WebSocket, Receiver, Sender',
  Receiver: 'ws: WebSocket, Receiver, Sender',
  Sender: 'ws: WebSocket, Receiver, Sender',
  IncomingMessage: 'Node: HTTP request and parser',
  HTTPParser: 'Node: HTTP request and parser',
  'Node / Parser': 'Node: HTTP request and parser',
  PooledConnection: 'ours: PooledConnection',
  Account: 'ours: Account',
  CommandBudget: 'ours: CommandBudget',
};
const SETTLE_MS = 2_000;
const HOLD_S = 5;

/** What an idle connection takes, by who holds it: bytes. @param connections enough for what is there anyway not to count */
export async function connectionMemory(connections: number): Promise<Row[]> {
  const [port, inspectPort] = [await freePort(), await freePort()];
  const options = { 'source.kind': 'none', shards: 1, 'limits.connections': 0 };
  const args = [`--inspect-port=${inspectPort}`, GATEWAY_FILE, ...gatewayArguments(port, options)];
  const gateway = new Child(process.execPath, args, { cwd: PROJECT_DIRECTORY });
  const directory = createProfileDirectory('memory');
  try {
    await waitUntilReady(gateway, () => isHealthy(port));
    const inspector = await Inspector.open(gateway.pid, inspectPort);
    // Before the heap: a snapshot takes memory of its own.
    const resident = await residentBytes(gateway.pid, inspector, port, connections);
    const heap = await heapBytes(inspector, port, connections, directory);
    await inspector.close();
    return rowsOf(connections, heap, resident);
  } finally {
    await gateway.stop();
    rmSync(directory, { recursive: true });
  }
}

/** What the process and the kernel take more with idle connections than before, garbage of the start left out. */
async function residentBytes(pid: number, { threads }: Inspector, port: number, connections: number) {
  for (const thread of threads) await thread.request('HeapProfiler.collectGarbage');
  await sleep(SETTLE_MS);
  const [startMib, kernelBefore] = [processUsage([pid]).residentMib, slabs()];
  let held = { process: 0, kernel: undefined as number | undefined };
  await idle(port, connections, {
    onEnd: () => {
      const growthMib = processUsage([pid]).residentMib - startMib;
      held = { process: growthMib * 1024 ** 2, kernel: slabBytes(kernelBefore, slabs()) };
    },
  });
  return held;
}

async function heapBytes({ threads }: Inspector, port: number, connections: number, directory: string) {
  const shard = threads.at(-1) as InspectedThread;
  const before = await snapshot(shard, `${directory}/before.heapsnapshot`);
  const open = Promise.withResolvers<void>();
  const ended = idle(port, connections, { onStart: open.resolve });
  await open.promise;
  const after = await snapshot(shard, `${directory}/after.heapsnapshot`);
  await ended;
  return bytesByOwner(readFileSync(after, 'utf8'), idsOf(readFileSync(before, 'utf8')), (name) => OWNERS[name]);
}

function idle(port: number, connections: number, marks: LoadMarks): Promise<unknown> {
  const path = '/ws?subscription=none';
  return runLoad({ port, connections, subscribe: 'none', path, warmupS: 0, seconds: HOLD_S }, marks);
}

async function snapshot(thread: InspectedThread, file: string): Promise<string> {
  const expression = `process.getBuiltinModule('v8').writeHeapSnapshot(${JSON.stringify(file)})`;
  await thread.request('Runtime.evaluate', { expression });
  return file;
}

function rowsOf(
  connections: number,
  heap: ReadonlyMap<string, number>,
  resident: { process: number; kernel: number | undefined },
): Row[] {
  const each = (bytes: number) => Math.round(bytes / connections);
  const row = (owner: string, bytes: number): Row => ({ owner, 'bytes a connection': bytes });
  // Less than a byte each is what the thread allocated beside them.
  const owners = [...new Set(Object.values(OWNERS))].filter((owner) => (heap.get(owner) ?? 0) >= connections);
  const owned = owners.map((owner) => row(owner, each(heap.get(owner) as number)));
  const known = owners.reduce((sum, owner) => sum + each(heap.get(owner) as number), 0);
  const rest = each(resident.process) - known;
  return [
    ...owned,
    row('beside these: pages in part, garbage, growth of tables', rest),
    row('all that is resident', each(resident.process)),
    ...(resident.kernel === undefined ? [] : [row('kernel: socket, file, epoll; not resident', each(resident.kernel))]),
  ];
}

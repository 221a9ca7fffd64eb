import type { CallFrame } from './call-frame.ts';

/** What a thread of the gateway spends its time on. In the order of the tables. */
export const PARTS = [
  'kernel send',
  'kernel and libuv, other',
  'Node’s streams',
  'Node, other',
  'matching',
  'copying, batching',
  'serialising',
  'source',
  'connections',
  'statistics',
  'other',
  'garbage collection',
  'idle',
] as const;
export type Part = (typeof PARTS)[number];

interface ProfileNode {
  id: number;
  callFrame: CallFrame;
  children?: number[];
}

/** The parts of V8's CPU profile that are read here. Times in µs. */
interface CpuProfile {
  nodes: ProfileNode[];
  samples: number[];
  timeDeltas: number[];
}

/** How V8 calls what is no function of a program. */
const STATES: Readonly<Record<string, Part>> = {
  '(idle)': 'idle',
  '(garbage collector)': 'garbage collection',
  '(program)': 'kernel and libuv, other',
  '(root)': 'kernel and libuv, other',
};
/** Functions of libuv's handles that end in a system call of this thread. */
const NATIVE: Readonly<Record<string, Part>> = {
  writeBuffer: 'kernel send',
  writev: 'kernel send',
  writeUtf8String: 'kernel send',
  writeLatin1String: 'kernel send',
  postMessage: 'kernel and libuv, other',
};
const STAGES: Readonly<Record<string, Part>> = {
  subscription: 'matching',
  batch: 'copying, batching',
  ring: 'copying, batching',
  delivery: 'copying, batching',
  shard: 'copying, batching',
  compression: 'copying, batching',
  frame: 'serialising',
  dataflow: 'serialising',
  source: 'source',
  connection: 'connections',
  telemetry: 'statistics',
};
const STREAMS = /^node:(?:net|events|stream|internal\/(?:streams|stream_base_commons|js_stream))/;
/** A copy is part of the work of whoever asks for it. */
const BUFFER = 'node:buffer';
const STAGE = /\/src\/(?:([a-z]+)\/)?[^/]+$/;

/**
 * How long a thread was at each of its parts: the self time of every function, by where it stands. What V8 and Node do
 * natively belongs to who called it, unless it is known to go to the kernel.
 * @param json text of a .cpuprofile file
 * @returns µs of the clock; all of them together are the time that was profiled
 */
export function attribute(json: string): Map<Part, number> {
  const { nodes, samples, timeDeltas } = JSON.parse(json) as CpuProfile;
  const parts = partsOf(nodes);
  const us = new Map<Part, number>(PARTS.map((part) => [part, 0]));
  samples.forEach((id, i) => {
    const part = parts.get(id) ?? 'other';
    us.set(part, (us.get(part) ?? 0) + (timeDeltas[i] ?? 0));
  });
  return us;
}

function partsOf(nodes: readonly ProfileNode[]): Map<number, Part> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parts = new Map<number, Part>();
  const called = new Set(nodes.flatMap(({ children = [] }) => children));
  const open: [id: number, caller: Part][] = nodes
    .filter(({ id }) => !called.has(id))
    .map(({ id }) => [id, 'kernel and libuv, other']);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [id, caller] = next;
    const node = byId.get(id);
    if (node === undefined) continue;
    const part = partOf(node.callFrame, caller);
    parts.set(id, part);
    for (const child of node.children ?? []) open.push([child, part]);
  }
  return parts;
}

function partOf({ functionName, url }: CallFrame, caller: Part): Part {
  if (url === '') return STATES[functionName] ?? NATIVE[functionName] ?? caller;
  if (url === BUFFER) return caller;
  if (url.startsWith('node:')) return STREAMS.test(url) ? 'Node’s streams' : 'Node, other';
  if (url.includes('/node_modules/ws/')) return 'connections';
  const [, folder = ''] = STAGE.exec(url) ?? [];
  return STAGES[folder] ?? 'other';
}

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../lib/child-process.ts';
import { freePort } from '../lib/free-port.ts';
import { metricTotal, readApi } from '../lib/gateway-metrics.ts';
import { runLoad } from '../lib/load-process.ts';
import { PROJECT_DIRECTORY } from '../lib/project-directory.ts';
import { GATEWAY_FILE, gatewayArguments, isHealthy, waitUntilReady } from '../lib/server-process.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';
import { latencyBetween } from '../load/latency-timeline.ts';
import type { LoadReport } from '../load/load-report.ts';
import { attribute, type Part } from './attribution.ts';
import { countSystemCalls, type SystemCalls } from './system-calls.ts';
import { profileThreads } from './thread-profiles.ts';
import { type ThreadUsage, threadUsages, usedBetween } from './thread-usage.ts';

/** A load under which the gateway is looked at. Each topic is a symbol's trades. */
export interface WhereLoad {
  name: string;
  connections: number;
  topics: number;
  topicsEach: number;
  rate: number;
  /** `random`: hardly two clients have the same filter. */
  subscribe: 'filter' | 'random';
}

export interface MeasuredThread {
  name: 'primary' | 'shard';
  /** While nobody looked more closely. */
  usage: ThreadUsage;
  /** Under the profiler: µs of each part. */
  parts: Map<Part, number>;
  /** System calls a second, by kind. */
  calls: Map<string, number>;
}

/** What passed through the gateway meanwhile. */
export interface Traffic {
  seconds: number;
  publications: number;
  deliveries: number;
  writes: number;
}

export interface MeasuredLoad {
  load: WhereLoad;
  threads: MeasuredThread[];
  /** Unwatched, and while the system calls were counted. */
  plain: Traffic;
  counted: Traffic;
  countedBy: SystemCalls['by'];
  /** Unwatched, at the clients. */
  latency: LoadReport['latencyUs'];
  report: LoadReport;
}

type Looked = Omit<MeasuredLoad, 'load' | 'report' | 'latency'> & { fromMs: number; toMs: number };

interface Look {
  /** ms since the epoch. */
  atMs: number;
  traffic: Traffic;
  usages: ThreadUsage[];
}

const PAYLOAD_BYTES = 200;
const WARMUP_S = 1.5;
const INTERVAL_MS = 100;
/** What it takes to begin and end with each of the tools, so that all of them see the load. */
const MARGIN_S = 2.5;

/** Runs the gateway under a load and looks at it three times: unwatched, under the profiler, counting system calls. */
export async function measureWhere(load: WhereLoad, seconds: number): Promise<MeasuredLoad> {
  const { connections, topics: symbols, topicsEach: symbolsEach, subscribe } = load;
  const [port, inspectPort] = [await freePort(), await freePort()];
  const options = { ...simulatorOptions(symbols, load.rate, PAYLOAD_BYTES), shards: 1 };
  const args = [`--inspect-port=${inspectPort}`, GATEWAY_FILE, ...gatewayArguments(port, options)];
  const gateway = new Child(process.execPath, args, { cwd: PROJECT_DIRECTORY });
  try {
    await waitUntilReady(gateway, () => isHealthy(port));
    let looked: Promise<Looked | Error> | undefined;
    const onStart = () => {
      looked = look(gateway.pid, port, inspectPort, seconds).catch((error) => error);
    };
    const report = await runLoad(
      {
        port,
        connections,
        symbols,
        symbolsEach,
        subscribe,
        warmupS: WARMUP_S,
        seconds: 3 * seconds + MARGIN_S,
        intervalMs: INTERVAL_MS,
      },
      { onStart },
    );
    const found = (await looked) ?? new Error('the load has not begun');
    if (found instanceof Error) throw found;
    const { fromMs, toMs, ...rest } = found;
    const latency = latencyBetween(report.timeline ?? [], INTERVAL_MS, fromMs, toMs).summary();
    return { load, report, latency, ...rest };
  } finally {
    await gateway.stop();
  }
}

async function look(pid: number, port: number, inspectPort: number, seconds: number): Promise<Looked> {
  const first = await glance(pid, port);
  await sleep(seconds * 1000);
  const second = await glance(pid, port);
  const used = usedBetween(first.usages, second.usages);
  const shardTid = busiestBeside(pid, used);
  const profiles = await profileThreads('cpu', pid, inspectPort, seconds);
  const third = await glance(pid, port);
  const { by, byThread } = await countSystemCalls([pid, shardTid], seconds);
  const fourth = await glance(pid, port);
  const threads = (['primary', 'shard'] as const).map((name): MeasuredThread => {
    const tid = name === 'primary' ? pid : shardTid;
    const { file } = profiles.find(({ thread }) => thread.startsWith(name))!;
    return {
      name,
      usage: used.find((usage) => usage.tid === tid)!,
      parts: attribute(readFileSync(file, 'utf8')),
      calls: new Map([...(byThread.get(tid) ?? [])].map(([kind, count]) => [kind, count / seconds])),
    };
  });
  const counted = trafficBetween(third.traffic, fourth.traffic);
  const plain = trafficBetween(first.traffic, second.traffic);
  return { threads, plain, counted, countedBy: by, fromMs: first.atMs, toMs: second.atMs };
}

/** The shard among the threads of a gateway with one: the others help Node and V8 now and then. */
function busiestBeside(pid: number, used: readonly ThreadUsage[]): number {
  const others = used.filter(({ tid }) => tid !== pid);
  return others.reduce((most, usage) => (usage.cpuUs > most.cpuUs ? usage : most)).tid;
}

async function glance(pid: number, port: number): Promise<Look> {
  const text = await readApi(port, 'metrics');
  const total = (name: string) => metricTotal(text, `tickcast_${name}`);
  const traffic = {
    seconds: performance.now() / 1000,
    publications: total('publications_total'),
    deliveries: total('messages_forwarded_total'),
    writes: total('socket_writes_total'),
  };
  return { atMs: Date.now(), traffic, usages: threadUsages(pid) };
}

function trafficBetween(before: Traffic, after: Traffic): Traffic {
  return {
    seconds: after.seconds - before.seconds,
    publications: after.publications - before.publications,
    deliveries: after.deliveries - before.deliveries,
    writes: after.writes - before.writes,
  };
}

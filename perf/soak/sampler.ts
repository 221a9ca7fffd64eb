import { readdirSync } from 'node:fs';
import { metricTotal, readApi } from '../lib/gateway-metrics.ts';
import { processUsage } from '../lib/process-usage.ts';
import type { Instance } from './cluster.ts';

/** One shard of one process at one moment. */
export interface ShardSample {
  restarts: number;
  /** Undefined while it is down. */
  heapMib: number | undefined;
  delayP99Ms: number | undefined;
}

/** One process at one moment. */
export interface Sample {
  /** Since the soak began. */
  atS: number;
  slot: number;
  pid: number;
  residentMib: number;
  /** Open files of all kinds, and those that are no client's connection. */
  descriptors: number;
  otherDescriptors: number;
  connections: number;
  behind: number;
  /** Since the process started. */
  delivered: number;
  publications: number;
  heapMib: number;
  externalMib: number;
  /** Since the sample before. */
  delayP99Ms: number;
  shards: ShardSample[];
}

const MIB = 1024 ** 2;

/** @returns undefined where the process is coming up or going away */
export async function takeSample(instance: Instance, shards: number, atS: number): Promise<Sample | undefined> {
  const { slot, pid, adminPort } = instance;
  try {
    const text = await readApi(adminPort, 'metrics');
    const { residentMib } = processUsage([pid]);
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    const total = (name: string, label?: string) => metricTotal(text, name, label);
    const connections = total('tickcast_connections_open');
    if (residentMib === 0) return undefined;
    return {
      atS,
      slot,
      pid,
      residentMib,
      descriptors,
      otherDescriptors: descriptors - connections,
      connections,
      behind: total('tickcast_connections_behind'),
      delivered: total('tickcast_messages_forwarded_total'),
      publications: total('tickcast_publications_total'),
      heapMib: total('nodejs_heap_size_used_bytes') / MIB,
      externalMib: total('nodejs_external_memory_bytes') / MIB,
      delayP99Ms: total('nodejs_eventloop_lag_p99_seconds') * 1000,
      shards: shardSamples(text, shards),
    };
  } catch {
    return undefined;
  }
}

function shardSamples(text: string, shards: number): ShardSample[] {
  return Array.from({ length: shards }, (_, shard) => {
    const total = (name: string) => metricTotal(text, name, `shard="${shard}"`);
    const heapMib = total('tickcast_shard_heap_bytes') / MIB;
    const isUp = total('tickcast_shard_up') === 1 && heapMib > 0;
    return {
      restarts: total('tickcast_shard_restarts_total'),
      heapMib: isUp ? heapMib : undefined,
      delayP99Ms: isUp ? total('tickcast_shard_loop_delay_p99_seconds') * 1000 : undefined,
    };
  });
}

import type { GrowthFigures } from './measure.ts';
import { coresBy, type Model } from './model.ts';

/** What is assumed of the machines; said on the page. */
export const MACHINE = {
  cores: 16,
  memoryGib: 64,
  nicGbit: 25,
  /** Of each, what is planned with. */
  coresShare: 0.6,
  memoryShare: 0.75,
  nicShare: 0.6,
};
export const CLIENTS = 1_000_000;
/** The whole market, which every machine reads. */
export const PUBLICATIONS_PER_S = 5_000;
/** What the kernel holds for a socket that is kept up with: an assumption, not measured here. */
export const KERNEL_KIB = 8;
/** Ethernet with preamble and gap, IP and TCP with time stamps, around each write that fits a packet. */
export const PACKET_OVERHEAD_BYTES = 90;
/** Messages that come within this after the first go with it. */
export const WINDOW_S = 0.01;
/** Threads that deliver on such a machine: one core is for the primary thread. */
const SHARDS = MACHINE.cores - 1;

export interface Projection {
  messagesPerS: number;
  messagesPerWrite: number;
  bytesPerMessage: number;
  cpuUsPerClientS: number;
  kibPerClient: number;
  kbitPerClient: number;
  clientsByCpu: number;
  clientsByMemory: number;
  clientsByNic: number;
  machines: number;
}

/** @param kibPerClient resident memory of a connection */
export function project(model: Model, messagesPerS: number, bytesPerMessage: number, kibPerClient: number): Projection {
  const messagesPerWrite = 1 + messagesPerS * WINDOW_S;
  const writes = messagesPerS / messagesPerWrite;
  const bytes = messagesPerS * bytesPerMessage;
  const coresOf = (connections: number, publications: number, shards: number) =>
    coresBy(model, {
      writes: connections * writes,
      deliveries: connections * messagesPerS,
      bytes: connections * bytes,
      publications,
      point: { connections, shards } as GrowthFigures['point'],
    });
  const fixedCores = coresOf(0, PUBLICATIONS_PER_S, SHARDS);
  const coresEach = coresOf(1, 0, 0);
  const memoryEach = kibPerClient + KERNEL_KIB;
  const bitsEach = 8 * (bytes + writes * PACKET_OVERHEAD_BYTES);
  const clientsByCpu = Math.max(0, (MACHINE.cores * MACHINE.coresShare - fixedCores) / coresEach);
  const clientsByMemory = (MACHINE.memoryGib * MACHINE.memoryShare * 1024 ** 2) / memoryEach;
  const clientsByNic = (MACHINE.nicGbit * MACHINE.nicShare * 1e9) / bitsEach;
  return {
    messagesPerS,
    messagesPerWrite,
    bytesPerMessage,
    cpuUsPerClientS: coresEach * 1e6,
    kibPerClient: memoryEach,
    kbitPerClient: bitsEach / 1_000,
    clientsByCpu,
    clientsByMemory,
    clientsByNic,
    machines: Math.ceil(CLIENTS / Math.min(clientsByCpu, clientsByMemory, clientsByNic)),
  };
}

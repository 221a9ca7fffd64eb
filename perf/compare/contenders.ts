import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOption } from '../../src/config/options.ts';
import type { DeliveryLoad } from '../lib/delivery.ts';
import { freePort } from '../lib/free-port.ts';
import { type BaselineName, type ServerProcess, startBaseline, startGateway } from '../lib/server-process.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';
import { type AccountKeeper, baselineAccount, gatewayAccount } from './accounts.ts';

/** What is published. */
export interface Market {
  symbols: number;
  rate: number;
  payloadBytes: number;
}

export interface ContenderProcess extends ServerProcess {
  keepAccount(): AccountKeeper;
}

/** A server that takes part. */
export interface Contender {
  name: string;
  start(market: Market): Promise<ContenderProcess>;
  /** How its clients differ. @param connections how many of them there are */
  load(connections: number): DeliveryLoad;
}

const SOCKET_IO_PATH = '/socket.io/?EIO=4&transport=websocket';
const asBrowsersDo = (connections: number): DeliveryLoad => ({ deflating: connections });

/** In the order of the tables. The gateway's own compression takes part where it has one. */
export function contenders(): Contender[] {
  const compressed = findOption('compression.mode') === undefined ? [] : [gatewayCompressed()];
  return [
    { name: 'Tickcast', start: (market) => gateway(market, {}), load: () => ({}) },
    ...compressed,
    { name: 'ws', start: (market) => baseline(market, 'ws-broadcast'), load: () => ({}) },
    { name: 'ws, deflate', start: (market) => baseline(market, 'ws-broadcast', ['--deflate']), load: asBrowsersDo },
    {
      name: 'Socket.IO',
      start: (market) => baseline(market, 'socket-io'),
      load: () => ({ dialect: 'socket.io', path: SOCKET_IO_PATH }),
    },
    { name: 'faye-websocket', start: (market) => baseline(market, 'faye'), load: () => ({}) },
  ];
}

function gatewayCompressed(): Contender {
  return {
    name: 'Tickcast, deflate',
    start: (market) => gateway(market, { 'compression.mode': 'shared' }),
    load: asBrowsersDo,
  };
}

async function gateway(market: Market, options: Record<string, string>): Promise<ContenderProcess> {
  const adminPort = await freePort();
  const { symbols, rate, payloadBytes } = market;
  const simulator = simulatorOptions(symbols, rate, payloadBytes);
  const server = await startGateway({ ...simulator, shards: 1, 'admin.port': adminPort, ...options });
  return { ...server, keepAccount: () => gatewayAccount(adminPort) };
}

async function baseline(market: Market, name: BaselineName, flags: string[] = []): Promise<ContenderProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'tickcast-compare-'));
  const published = join(directory, 'published');
  const removed = () => rmSync(directory, { recursive: true, force: true });
  try {
    const server = await startBaseline(market, name, ['--published', published, ...flags]);
    return { ...server, keepAccount: () => baselineAccount(published), stop: () => server.stop().finally(removed) };
  } catch (error) {
    removed();
    throw error;
  }
}

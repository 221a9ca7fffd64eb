import { expect } from 'vitest';
import { readAdmin } from './admin-api.ts';
import type { CollectedLine } from './collected-lines.ts';
import { TestClient } from './test-client.ts';
import type { TestGateway } from './test-gateway.ts';

export interface ShardRow {
  status: string;
  restarts: number;
  hangs: number;
  crashLooping: boolean;
  restartAt?: number;
  lastError?: { message: string; timestamp: number };
}

export interface Stats extends Record<string, unknown> {
  activeConnections: number;
  totalSubscriptions: number;
  shards: ShardRow[];
}

export const PATIENT = { timeout: 15_000, interval: 25 };

/** The shard that a client has landed on, which stands in its id. */
export function shardOf(client: TestClient): number {
  return Number(String(client.received[0]!.payload.connectionId).split('_')[2]);
}

/** Clients of the firehose, by shard: `each` on each of them at least. */
export async function clientsOnEach(port: number, shards: number, each: number): Promise<TestClient[][]> {
  const byShard: TestClient[][] = Array.from({ length: shards }, () => []);
  for (let tries = 0; tries < 200 && byShard.some((clients) => clients.length < each); tries++) {
    const client = await TestClient.open(port);
    byShard[shardOf(client)]!.push(client);
  }
  for (const clients of byShard) expect(clients.length).toBeGreaterThanOrEqual(each);
  return byShard;
}

export async function stats(port: number): Promise<Stats> {
  return readAdmin<Stats>(port, 'stats');
}

export function shardFailures(lines: readonly CollectedLine[]): CollectedLine[] {
  return lines.filter(({ message }) => message === 'WebSocket shard failed');
}

/** Resolves when a shard runs that has been restarted so often. */
export async function untilBack({ port }: TestGateway, restarts: number): Promise<void> {
  await expect
    .poll(
      async () => (await stats(port).catch(() => undefined))?.shards.map((shard) => [shard.status, shard.restarts]),
      PATIENT,
    )
    .toContainEqual(['running', restarts]);
}

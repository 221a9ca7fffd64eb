import type { Publication } from '../../src/dataflow/publication.ts';
import type { TestGateway } from './test-gateway.ts';

/** How the slowest connection of a gateway is served: `live`, `behind` or `replaying`; undefined while there is none. */
export async function laneOf(port: number): Promise<string | undefined> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/websocket/connections?sort=lag`);
  const { connections } = (await answer.json()) as { connections: { lane: string }[] };
  return connections[0]?.lane;
}

/** Resolves when the shards have read, and written, everything that was published before. */
export async function flush(port: number): Promise<void> {
  await fetch(`http://127.0.0.1:${port}/api/websocket/flush`, { method: 'POST' });
}

const BULK = 'p'.repeat(50_000);
const BULKS_MAX = 10_000;

/** Publishes bulky trades of a symbol until the one client, which does not read, is behind; returns how many that took. */
export async function fillUntilBehind({ port, publish }: TestGateway, symbol: string): Promise<number> {
  const bulk: Publication = { symbol, type: 'trade', timestamp: 1_700_000_000_000, data: { pad: BULK } };
  for (let published = 0; published < BULKS_MAX; published += 10) {
    if ((await laneOf(port)) === 'behind') return published;
    for (let n = 0; n < 10; n++) publish(bulk);
  }
  throw new Error('the client does not fall behind');
}

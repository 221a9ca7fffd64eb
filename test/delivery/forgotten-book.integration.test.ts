import { expect, it } from 'vitest';
import type { Publication } from '../../src/dataflow/publication.ts';
import { FAILING_SHARD, failShard } from '../support/shard-failures.ts';
import { flush } from '../support/slow-lane.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway } from '../support/test-gateway.ts';

const SYMBOLS = 600;
const TURNS = 3;

function publication(type: string, symbol: string, data: object): Publication {
  return { exchange: 'binance', symbol, type, timestamp: 1_700_000_000_000, data };
}

/**
 * Where latest values take too much of the ring, a book is forgotten. A shard that was started after that had no base for it, and
 * took the next update for the book's first publication: levels of two updates were told as the full book.
 */
it('a book that is not kept any more is not told by a shard that has begun since', async () => {
  const options = { ring: { bytes: 1024 * 1024 }, limits: { payloadBytes: 64 * 1024 } };
  const { port, publish } = await startGateway(options, { shardFile: FAILING_SHARD });
  publish(publication('depth', 'BOOK', { bids: [[1, 1]], asks: [[2, 2]], isSnapshot: true }));
  for (let n = 0; n < SYMBOLS * TURNS; n++) {
    publish(publication('ticker', `S${n % SYMBOLS}`, { pad: 'p'.repeat(1_000) }));
    if (n % 100 === 0) await flush(port);
  }
  const before = await TestClient.open(port, '/ws?subscription=none');
  failShard({ shard: 0, kind: 'throw' });
  await before.untilClosed();
  const client = await reopened(port);
  for (const bids of [[[9, 9]], [[8, 8]]]) {
    publish(publication('depth', 'BOOK', { bids, asks: [] }));
    await flush(port);
  }
  const { payload } = await client.ask({ type: 'requestSnapshot', payload: { symbols: 'BOOK' } });
  expect(payload).toMatchObject({ data: [], truncated: true });
  const reply = await client.ask({ type: 'subscribe', payload: { symbols: 'BOOK', snapshot: true } });
  expect(reply.payload.snapshot).toEqual({ topics: 0, missing: 1 });
  publish(publication('depth', 'BOOK', { bids: [[7, 7]], asks: [[8, 8]], isSnapshot: true }));
  await client.until(() => client.data.length === 1, 'the whole book');
  const again = await client.ask({ type: 'requestSnapshot', payload: { symbols: 'BOOK' } });
  expect(again.payload.data).toMatchObject([{ data: { bids: [[7, 7]], asks: [[8, 8]], isSnapshot: true } }]);
});

/** A connection to the shard that takes the place of the one that failed, once it listens. */
async function reopened(port: number): Promise<TestClient> {
  for (let tries = 0; ; tries++) {
    try {
      return await TestClient.open(port, '/ws?subscription=none');
    } catch (thrown) {
      if (tries > 100) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

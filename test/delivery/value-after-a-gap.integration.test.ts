import { expect, it } from 'vitest';
import type { Publication } from '../../src/dataflow/publication.ts';
import { fillUntilBehind, laneOf } from '../support/slow-lane.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway } from '../support/test-gateway.ts';

function publication(type: string, symbol: string, data: object): Publication {
  return { exchange: 'binance', symbol, type, timestamp: 1_700_000_000_000, data };
}

/**
 * Beyond the limits books and latest values are given up too. One that published nothing more before its client had caught
 * up was left at its gap: the next update of the book alone told nothing, and the last ticker was never sent.
 */
it('tells the latest value of a topic with a gap that nothing has followed, before the client is served live', async () => {
  const gateway = await startGateway({ limits: { pendingMessages: 1 } });
  const { port, publish } = gateway;
  const client = await TestClient.open(port, '/ws?subscription=none');
  await client.ask({ type: 'subscribe', payload: {} });
  publish(publication('depth', 'A', { bids: [[1, 1]], asks: [[2, 1]], isSnapshot: true }));
  await client.next('depth');
  client.socket.pause();
  await fillUntilBehind(gateway, 'Z');
  publish(publication('depth', 'A', { bids: [[1, 7]], asks: [] }), publication('ticker', 'A', { lastPrice: 5 }));
  publish(publication('trade', 'C', {}), publication('ticker', 'B', {}));
  client.socket.resume();
  await client.until(() => client.received.find(({ snapshot, type }) => snapshot && type === 'ticker'), 'the ticker');
  const behind = client.received.filter(({ payload }) => payload.symbol === 'A');
  expect(behind.map(({ type, payload, prevSeq }) => [type, payload.dataType ?? payload.data, prevSeq])).toEqual([
    ['depth', { bids: [[1, 1]], asks: [[2, 1]], isSnapshot: true }, 0],
    ['gap', 'depth', undefined],
    ['gap', 'ticker', undefined],
    ['depth', { bids: [[1, 7]], asks: [[2, 1]], isSnapshot: true }, 0],
    ['ticker', { lastPrice: 5 }, 0],
  ]);
  await expect.poll(() => laneOf(port)).toBe('live');
  publish(publication('depth', 'A', { bids: [], asks: [[3, 4]] }));
  const book = behind.at(-2)!;
  const update = await client.until(() => client.data.find(({ prevSeq }) => prevSeq === book.seq), 'the update');
  expect(update.payload.data).toEqual({ bids: [], asks: [[3, 4]] });
});

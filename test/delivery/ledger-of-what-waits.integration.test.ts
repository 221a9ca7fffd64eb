import { expect, it } from 'vitest';
import { flush, laneOf } from '../support/slow-lane.ts';
import { type Received, TestClient } from '../support/test-client.ts';
import { startGateway, trade } from '../support/test-gateway.ts';

/** What a client that does not read learns of its account once it does, and what it had got by then. */
async function ledgerBehind(client: TestClient): Promise<{ ledger: Record<string, unknown>; before: Received[] }> {
  client.socket.resume();
  const at = await client.until(() => {
    const index = client.received.findIndex(({ id }) => id === 'ledger');
    return index >= 0 && index;
  }, 'the ledger');
  return { ledger: client.received[at]!.payload, before: client.received.slice(0, at) };
}

/** What a replay had given up before it was overtaken, but had not told yet, was neither pending nor dropped. */
it('counts what a replay has given up as pending until the client has been told', async () => {
  const { port, publish } = await startGateway({ ring: { bytes: 16 * 1024 * 1024 } });
  const first = await TestClient.open(port, '/ws?subscription=none');
  const { epoch } = first.received[0]!.payload;
  const all = Array.from({ length: 5_000 }, (_, n) => trade('Z', n));
  const publishAll = async (times: number) => {
    for (let n = 0; n < times; n++) {
      publish(...all);
      await flush(port);
    }
  };
  await publishAll(8);
  const client = await TestClient.open(port, '/ws?subscription=none');
  client.socket.pause();
  client.send({ type: 'subscribe', payload: { symbols: 'Z', resume: { epoch, seq: 0 } } });
  await expect.poll(() => laneOf(port)).toBe('replaying');
  await publishAll(24);
  client.send({ type: 'getLedger', id: 'ledger' });
  const { ledger, before } = await ledgerBehind(client);
  const delivered = before.filter(({ seq }) => seq !== undefined).length;
  expect(ledger).toMatchObject({ published: 160_000, delivered, pending: 160_000 - delivered });
  const gap = await client.next('gap');
  expect(gap.payload).toMatchObject({ symbol: 'Z', reason: 'replay_overrun' });
});

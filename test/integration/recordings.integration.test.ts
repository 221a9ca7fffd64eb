import { describe, expect, it } from 'vitest';
import { createConfig } from '../../src/config/load-config.ts';
import { RecordingSource } from '../../src/source/recording.ts';
import { HeldSource } from '../support/held-source.ts';
import { inventedRecording, realRecording } from '../support/recordings.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway } from '../support/test-gateway.ts';

const NAMES = ['coinbase', 'bybit', 'kraken', 'binance-futures'] as const;
/** Data types that the real recordings hold. */
const TYPES: Record<(typeof NAMES)[number], string[]> = {
  coinbase: ['depth', 'ticker', 'trade'],
  bybit: ['depth', 'trade'],
  kraken: ['depth'],
  'binance-futures': ['depth', 'kline', 'ticker', 'trade'],
};

/** Plays a whole recording through a gateway to two clients, and returns what they got. */
async function play(file: string) {
  const { recording } = createConfig({ source: { recording: { file, speed: 'max', loop: false } } }).source;
  const source = new HeldSource(new RecordingSource(recording));
  const { gateway, port } = await startGateway(
    { limits: { pendingBytes: 0 }, ring: { bytes: 64 * 1024 * 1024 } },
    { source },
  );
  const [all, trades] = [await TestClient.open(port), await TestClient.open(port)];
  await trades.ask({ type: 'subscribe', payload: { dataTypes: ['trade'] } });
  await source.letGo();
  await expect.poll(() => source.getState().status, { timeout: 20_000 }).toBe('ended');
  const { published, rejected } = source.getState();
  await all.until(() => all.data.length >= published, `${published} frames`);
  await trades.settle();
  expect(gateway.dataFlow.getStats().totalErrors).toBe(0);
  return { all, trades, published, rejected };
}

function expectWhole({ all, trades, published, rejected }: Awaited<ReturnType<typeof play>>, exchange: string): void {
  expect(rejected).toBe(0);
  expect(published).toBeGreaterThan(0);
  expect(all.data).toHaveLength(published);
  expect(all.strange).toEqual([]);
  expect(all.data.map(({ seq }) => seq)).toEqual(Array.from({ length: published }, (_, n) => n + 1));
  for (const { type, payload } of all.data) {
    expect(payload).toMatchObject({ type, exchange, symbol: expect.any(String), timestamp: expect.any(Number) });
  }
  expect(trades.data).toEqual(all.data.filter(({ type }) => type === 'trade'));
}

describe('a recording, played through the whole gateway', () => {
  it.each(NAMES)('reaches clients of %s whole and in order: an invented one', async (name) => {
    expectWhole(await play(inventedRecording(name)), name);
  });

  for (const name of NAMES) {
    const file = realRecording(name);
    it.skipIf(file === undefined)(
      `reaches clients of ${name} whole and in order: real traffic, where it is there`,
      async () => {
        const played = await play(file as string);
        expectWhole(played, name);
        expect([...new Set(played.all.data.map(({ type }) => type))].sort()).toEqual(TYPES[name]);
      },
    );
  }
});

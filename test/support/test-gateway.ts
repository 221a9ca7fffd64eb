import { onTestFinished } from 'vitest';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import type { Publication } from '../../src/dataflow/publication.ts';
import { Gateway, type GatewayParts } from '../../src/gateway.ts';
import { type CollectedLine, collectingLogger } from './collected-lines.ts';

export interface TestGateway {
  gateway: Gateway;
  port: number;
  lines: CollectedLine[];
  publish: (...publications: Publication[]) => void;
}

/**
 * A whole gateway in this process, on a free port, with real shard threads and no source; stopped with the test. How much
 * memory the process holds is the test runner's affair, so nothing is done about it unless a test says so.
 */
export async function startGateway(options: ConfigOverrides = {}, parts: GatewayParts = {}): Promise<TestGateway> {
  const logger = collectingLogger();
  const gateway = new Gateway(
    {
      shards: 1,
      ring: { bytes: 4 * 1024 * 1024 },
      memory: { thresholdMb: 0 },
      ...options,
      server: { port: 0, ...options.server },
      source: { kind: 'none', ...options.source },
      shutdown: { drainMs: 0, ...options.shutdown },
    },
    { logger, ...parts },
  );
  onTestFinished(() => gateway.stop());
  await gateway.start();
  return {
    gateway,
    port: gateway.port,
    lines: logger.lines,
    publish: (...publications) => {
      for (const publication of publications) gateway.processData(publication);
    },
  };
}

/** A trade of a symbol; `n` tells it from others. */
export function trade(symbol: string, n = 0, exchange = 'binance'): Publication {
  return {
    exchange,
    symbol,
    type: 'trade',
    timestamp: 1_700_000_000_000 + n,
    data: { id: String(n), price: 100 + n, quantity: 1, side: 'buy' },
  };
}

import { afterEach, describe, expect, it } from 'vitest';
import { type ContenderProcess, contenders } from '../../perf/compare/contenders.ts';
import { runLoad } from '../../perf/lib/load-process.ts';

const MARKET = { symbols: 10, rate: 200, payloadBytes: 200 };
const CONNECTIONS = 10;

let server: ContenderProcess | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

describe.each(contenders().map((contender) => [contender.name, contender] as const))('%s', (_name, contender) => {
  it('serves each client its topics, in order, and says what it has published', async () => {
    server = await contender.start(MARKET);
    const keeper = server.keepAccount();
    const filter = { subscribe: 'filter', symbols: 10, symbolsEach: 2, sampleEvery: 1, warmupS: 0.3, seconds: 0.5 };
    const report = await runLoad(
      { ...contender.load(CONNECTIONS), ...filter, port: server.port, connections: CONNECTIONS },
      { onStart: () => keeper.begin(), onEnd: () => keeper.end() },
    );
    expect(report).toMatchObject({ opened: CONNECTIONS, failed: 0, closed: 0, orderErrors: 0, protocolErrors: 0 });
    expect(report.deliveries).toBeGreaterThan(0);
    // One in five publications is wanted: more would be those of other topics.
    const { published, merged, dropped } = await keeper.account();
    expect(published).toBeGreaterThan(0);
    expect(report.perConnection.most).toBeLessThan(published / 2);
    expect([merged, dropped]).toEqual([0, 0]);
    expect(report.latencyUs.count).toBeGreaterThan(0);
    expect(report.sequence.end).toBeGreaterThan(report.sequence.begin);
  });
});

describe('ws, deflate', () => {
  it('sends compressed what the plain one sends at full length', async () => {
    const [plain, deflating] = await Promise.all(['ws', 'ws, deflate'].map(bytesPerDelivery));
    expect(deflating).toBeLessThan(plain! / 2);
  });
});

async function bytesPerDelivery(name: string): Promise<number> {
  const contender = contenders().find((one) => one.name === name)!;
  const running = await contender.start(MARKET);
  try {
    const times = { warmupS: 0.2, seconds: 0.4, connections: 2, subscribe: 'all' };
    return (await runLoad({ ...contender.load(2), ...times, port: running.port })).bytesPerDelivery;
  } finally {
    await running.stop();
  }
}

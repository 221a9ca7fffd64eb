import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import { Random } from '../../src/source/random.ts';
import type { Pace } from './gateway-messages.ts';
import { type ServerUnderTest, startGatewayUnderTest } from './gateway-under-test.ts';
import type { MarketOptions } from './market.ts';
import { logOfMarket } from './market-log.ts';
import { RandomClient } from './random-client.ts';
import { type TruthReport, truthReport } from './truth-report.ts';

export interface HarnessOptions {
  seed: number;
  shards: number;
  seconds: number;
  clients: number;
  symbols: number;
  /** Characters of padding in each publication. */
  padding: number;
  pace: Pace;
  /** Shards that are killed, and shards that are made to stand still, spread over the time. */
  crashes: number;
  blocks: number;
  /** Beside what the harness needs itself. */
  gateway: ConfigOverrides;
  /** Takes the place of the gateway, to show what the harness finds in one that is wrong. */
  start?: (options: ConfigOverrides, market: MarketOptions) => Promise<ServerUnderTest>;
}

const BLOCK_MS_MAX = 600;
/** Of the market; small, so that the ring may be. */
const PAYLOAD_BYTES_MAX = 65_536;

/**
 * Lets random clients loose on a gateway whose every publication is known, and judges what each of them got. Stops the source at
 * the end, and lets everybody catch up first.
 */
export async function runHarness(options: HarnessOptions): Promise<TruthReport> {
  const { seed, symbols, padding, start = startGatewayUnderTest } = options;
  const market = { seed, symbols, padding };
  const server = await start(gatewayOptions(options), market);
  try {
    const clients = createClients(options, server.port);
    const total = await letLoose(options, server, clients);
    const late = await Promise.all(clients.map((client) => client.catchUp(total)));
    for (const { client } of clients) client.reset();
    const log = logOfMarket(market, total);
    const problems = late.filter((problem) => problem !== undefined);
    if (problems.length > 0) problems.push(server.output());
    return truthReport(
      log,
      clients.map(({ client }) => client),
      problems,
    );
  } finally {
    await server.stop();
  }
}

function gatewayOptions({ shards, gateway }: HarnessOptions): ConfigOverrides {
  return {
    ...gateway,
    shards,
    server: { port: 0, host: '127.0.0.1', ...gateway.server },
    source: { kind: 'none' },
    log: { level: 'error' },
    limits: { commandsPerSecond: 0, payloadBytes: PAYLOAD_BYTES_MAX, ...gateway.limits },
    supervisor: { restartDelayMs: 50, ...gateway.supervisor },
  };
}

function createClients({ seed, clients, symbols }: HarnessOptions, port: number): RandomClient[] {
  return Array.from(
    { length: clients },
    (_, n) => new RandomClient({ port, client: `client ${n}`, seed: seed + n * 7_919, symbols, isNumbered: true }),
  );
}

/** Returns the seq of the last publication. */
async function letLoose(options: HarnessOptions, server: ServerUnderTest, clients: readonly RandomClient[]) {
  const ending = new AbortController();
  const running = clients.map((client) => client.run(ending.signal));
  server.publish(options.pace);
  await hurtShards(options, server);
  const total = await server.pause();
  ending.abort();
  await Promise.all(running);
  return total;
}

/** Takes as long as the run is to take. */
async function hurtShards({ seed, seconds, shards, crashes, blocks }: HarnessOptions, server: ServerUnderTest) {
  const random = new Random(seed);
  const orders = [...Array.from({ length: crashes }, () => 'crash'), ...Array.from({ length: blocks }, () => 'block')];
  const pauseMs = (seconds * 1000) / (orders.length + 1);
  await sleep(pauseMs);
  while (orders.length > 0) {
    const [order] = orders.splice(random.below(orders.length), 1);
    const shard = random.below(shards);
    if (order === 'block') server.fail({ shard, kind: 'block', blockMs: random.below(BLOCK_MS_MAX) });
    else server.fail({ shard, kind: random.below(2) === 0 ? 'throw' : 'exit' });
    await sleep(pauseMs);
  }
}

// A program that embeds a gateway. The argument says what it does with it; it never calls process.exit, so it ends only
// when nothing of the gateway is left.
import { createServer } from 'node:net';
import { WebSocket } from 'ws';
import { Gateway, type GatewayParts } from '../../src/gateway.ts';

type Options = ConstructorParameters<typeof Gateway>[0];

const [scenario = '', delayMs = '0'] = process.argv.slice(2);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const create = (options: Options = {}, parts: GatewayParts = {}) =>
  new Gateway(
    {
      shards: 2,
      ring: { bytes: 4 * 1024 * 1024 },
      log: { level: 'silent' },
      shutdown: { timeoutMs: 2_000 },
      ...options,
      server: { port: 0, ...options.server },
      source: { kind: 'simulator', ...options.source },
    },
    parts,
  );
const codeOf = (thrown: unknown) => (thrown as { code?: string }).code ?? String(thrown);

const scenarios: Record<string, () => Promise<unknown>> = {
  async stops() {
    const gateway = create();
    await gateway.start();
    const client = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`);
    const closed = new Promise((resolve) => client.once('close', resolve));
    await new Promise((resolve) => client.once('message', resolve));
    await Promise.all([gateway.stop(), gateway.stop()]);
    await gateway.stop();
    return closed;
  },

  async stopsWhileItStarts() {
    const gateway = create();
    const starting = gateway.start().then(() => 'started', codeOf);
    if (Number(delayMs) >= 0) await pause(Number(delayMs));
    await gateway.stop();
    return starting;
  },

  async stopsUnstarted() {
    const gateway = create();
    await gateway.stop();
    return gateway.start().then(() => 'started', codeOf);
  },

  async neverStarts() {
    create();
    return 'created';
  },

  async findsThePortTaken() {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const outcome = await create({ server: { port } })
      .start()
      .then(() => 'started', codeOf);
    other.close();
    return outcome;
  },

  async findsTheAdminPortTaken() {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const outcome = await create({ admin: { port } })
      .start()
      .then(() => 'started', codeOf);
    other.close();
    return outcome;
  },

  async hasAShardThatHangs() {
    process.env.TICKCAST_TEST_START = 'hangs:1';
    const shardFile = new URL('./misstarting-shard.fixture.ts', import.meta.url);
    return create({ supervisor: { startTimeoutMs: 1_000 } }, { shardFile })
      .start()
      .then(() => 'started', codeOf);
  },

  async stopsDuringTheBackOff() {
    const { failShard, FAILING_SHARD } = await import('./shard-failures.ts');
    const gateway = create(
      { supervisor: { restartDelayMs: 60_000, restartDelayMaxMs: 60_000 } },
      { shardFile: FAILING_SHARD },
    );
    await gateway.start();
    failShard({ shard: 0, kind: 'throw' });
    await pause(300);
    await gateway.stop();
    return 'stopped';
  },

  async stopsAShardThatIsStuck() {
    const { failShard, FAILING_SHARD } = await import('./shard-failures.ts');
    const gateway = create({ shutdown: { timeoutMs: 500 } }, { shardFile: FAILING_SHARD });
    await gateway.start();
    failShard({ shard: 0, kind: 'block', blockMs: 60_000 });
    await pause(300);
    await gateway.stop();
    return 'stopped';
  },
};

console.log(await scenarios[scenario]!());

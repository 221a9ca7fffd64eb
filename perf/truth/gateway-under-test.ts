import type { ConfigOverrides } from '../../src/config/schema.ts';
import { Child } from '../lib/child-process.ts';
import { PROJECT_DIRECTORY } from '../lib/project-directory.ts';
import type { FromGateway, Pace, ShardOrder, ToGateway } from './gateway-messages.ts';
import type { MarketOptions } from './market.ts';

const GATEWAY_FILE = 'perf/truth/gateway-process.ts';

/** A gateway and its source, as a harness sees them. */
export interface ServerUnderTest {
  readonly port: number;
  publish(pace: Pace): void;
  /** @returns seq of the last publication */
  pause(): Promise<number>;
  fail(order: ShardOrder): void;
  stop(): Promise<void>;
  /** What it has said last, to show when something is wrong. */
  output(): string;
}

/** Starts a gateway in a process of its own; resolves when it listens. */
export async function startGatewayUnderTest(options: ConfigOverrides, market: MarketOptions): Promise<ServerUnderTest> {
  const child = new Child(process.execPath, [GATEWAY_FILE], {
    cwd: PROJECT_DIRECTORY,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const tell = (message: ToGateway) => void child.process.send?.(message);
  const heard = new Map<FromGateway['kind'], (message: FromGateway) => void>();
  child.process.on('message', (message: FromGateway) => heard.get(message.kind)?.(message));
  const hear = <Kind extends FromGateway['kind']>(kind: Kind) =>
    new Promise<Extract<FromGateway, { kind: Kind }>>((resolve, reject) => {
      heard.set(kind, (message) => resolve(message as Extract<FromGateway, { kind: Kind }>));
      const fail = (why: string) => reject(new Error(`the gateway under test has ${why}:\n${child.output}`));
      heard.set('failed', (message) => fail(`failed: ${(message as { message: string }).message}`));
      if (child.hasEnded) fail('ended');
      child.process.once('close', () => fail('ended'));
    });
  const started = hear('started');
  tell({ kind: 'start', options, market });
  const { port } = await started.catch(async (thrown) => {
    await child.stop('SIGKILL');
    throw thrown;
  });
  return {
    port,
    publish: (pace) => tell({ kind: 'publish', pace }),
    pause: async () => {
      const paused = hear('paused');
      tell({ kind: 'pause' });
      return (await paused).total;
    },
    fail: (order) => tell({ kind: 'fail', order }),
    stop: () => child.stop('SIGKILL'),
    output: () => child.output,
  };
}

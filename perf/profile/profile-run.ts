import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Child } from '../lib/child-process.ts';
import { runLoad } from '../lib/load-process.ts';
import { isHealthy, PROJECT_DIRECTORY, waitUntilReady } from '../lib/server-process.ts';
import { simulatorOptions } from '../lib/simulator-options.ts';
import type { LoadReport } from '../load/load-report.ts';

const SYMBOLS = 100;
const SYMBOLS_EACH = 10;
const PAYLOAD_BYTES = 200;
const SECONDS_MAX = 120;
/** For the report: clinic works through everything it has gathered. */
const REPORT_TIMEOUT_MS = 180_000;
/** Coming down before the load's last sockets are gone would show up in the profile. */
const REST_MS = 500;

export interface ProfileLoad {
  connections: number;
  rate: number;
  seconds: number;
}

/** `--connections`, `--rate` and `--seconds` of the load that is profiled. Throws where one is out of range. */
export function readProfileLoad(args: readonly string[]): ProfileLoad {
  const { values } = parseArgs({
    args: [...args],
    options: {
      connections: { type: 'string', default: '500' },
      rate: { type: 'string', default: '2000' },
      seconds: { type: 'string', default: '10' },
    },
  });
  return {
    connections: inRange('connections', values.connections, 10_000),
    rate: inRange('rate', values.rate, 1_000_000),
    seconds: inRange('seconds', values.seconds, SECONDS_MAX),
  };
}

function inRange(name: string, text: string, max: number): number {
  const value = Number(text);
  if (value >= 1 && value <= max) return value;
  throw new Error(`--${name} is ${JSON.stringify(text)}; allowed: 1 to ${max}`);
}

/** Options of the gateway under the profiler. */
export function profiledOptions({ rate }: ProfileLoad): Record<string, string | number> {
  return { ...simulatorOptions(SYMBOLS, rate, PAYLOAD_BYTES), shards: 1 };
}

/** What the programs of this project are run with, so that `node` is the project's own. */
export function profileEnvironment(): NodeJS.ProcessEnv {
  const path = `${PROJECT_DIRECTORY}node_modules/.bin:${process.env.PATH ?? ''}`;
  return { ...process.env, PATH: path, NODE_OPTIONS: '', NO_INSIGHT: '1' };
}

/** Loads the gateway that `child` runs on `port`, then interrupts it and waits for what the profiler makes of it. */
export async function profileUnderLoad(child: Child, port: number, load: ProfileLoad): Promise<LoadReport> {
  await waitUntilReady(child, () => isHealthy(port));
  const report = await runLoad({
    port,
    connections: load.connections,
    seconds: load.seconds,
    subscribe: 'filter',
    symbols: SYMBOLS,
    symbolsEach: SYMBOLS_EACH,
  });
  await sleep(REST_MS);
  await child.stop('SIGINT', REPORT_TIMEOUT_MS);
  return report;
}

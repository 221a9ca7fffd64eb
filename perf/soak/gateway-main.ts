/**
 * What pm2 runs in a soak in place of src/main.ts: the same start and stop of a gateway that is configured by the environment,
 * but its shards crash when they are told to. At SIGUSR2 the next shard dies, by an exception or by `process.exit` in turn. It
 * also tells on which port its own admin API listens, in a file named after its process.
 */
import '../../src/util/die-on-rejection.ts';
import { writeFileSync } from 'node:fs';
import { startOrExit } from '../../src/command-line.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { freePort } from '../lib/free-port.ts';
import { FAILING_SHARD, orderShard } from '../truth/shard-orders.ts';

const { config } = loadConfig({ argv: [], env: process.env });
const adminPort = await freePort();
// The gateway adds the number that pm2 has given to the process.
const port = adminPort - Number(process.env.NODE_APP_INSTANCE ?? 0);
writeFileSync(`${process.env.SOAK_DIRECTORY}/${process.pid}.port`, String(adminPort));

let crashes = 0;
process.on('SIGUSR2', () => {
  const shard = crashes % Number(config.shards);
  orderShard({ shard, kind: crashes++ % 2 === 0 ? 'throw' : 'exit' });
});

await startOrExit({ ...config, admin: { ...config.admin, port } }, { shardFile: FAILING_SHARD });

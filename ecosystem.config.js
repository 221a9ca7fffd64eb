import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';

/**
 * pm2: `npm run cluster:start | cluster:reload | cluster:stop`. An ESM package has to export `apps` by name; nothing else is
 * read. pm2 only forks and watches: the instances share the port by SO_REUSEPORT, which `sharePort` allows.
 *
 *     TICKCAST_INSTANCES    processes; 1
 *     TICKCAST_MEMORY       resident memory at which pm2 reloads an instance; 2G
 *     TICKCAST_HOME         folder to run from; that of this file. With a symbolic link to the release, a reload follows it
 *     TICKCAST_CONFIG       file of options; none
 *     TICKCAST_LOG_DIR      where the logs go; ~/.pm2/logs, or that of PM2_HOME
 *     TICKCAST__SHARDS      threads of each instance; the cores, less one for each primary, divided among them
 *
 * and every other option of the gateway as TICKCAST__SECTION__OPTION. The scripts check the file of options first, and say
 * what it has of `shards` and `shutdown.timeoutMs` by TICKCAST_DERIVED_SHARDS and TICKCAST_KILL_TIMEOUT. With
 * `pm2 start ecosystem.config.js` nobody reads it: then shards are left to it, and TICKCAST__SHUTDOWN__TIMEOUTMS alone counts.
 */
const { env } = process;
const instances = positive('TICKCAST_INSTANCES', 1);
const logDirectory = env.TICKCAST_LOG_DIR ?? join(env.PM2_HOME ?? join(homedir(), '.pm2'), 'logs');
/** `auto` or a number, where the variable of the option does not say; empty: left to the file. */
const derivedShards = env.TICKCAST__SHARDS ? '' : env.TICKCAST_DERIVED_SHARDS || (env.TICKCAST_CONFIG ? '' : 'auto');
const coresForShards = Math.max(1, Math.floor(availableParallelism() / instances) - 1);
const shards = env.TICKCAST__SHARDS || (derivedShards === 'auto' ? String(coresForShards) : derivedShards);
/** shutdown.timeoutMs; its default where it is not set. */
const shutdownMs = positive('TICKCAST__SHUTDOWN__TIMEOUTMS', 10_000);

export const apps = [
  {
    name: 'tickcast',
    // JavaScript, for whatever Node.js the daemon runs on; then src/main.ts.
    script: 'src/operate/instance.js',
    cwd: env.TICKCAST_HOME ?? import.meta.dirname,
    args: env.TICKCAST_CONFIG === undefined ? [] : ['--config', env.TICKCAST_CONFIG],
    interpreter: 'node',
    // V8's young generation of the primary, as the shards have it: by itself it grows to 128 MiB.
    node_args: '--max-semi-space-size=16',
    exec_mode: 'cluster',
    instances,
    // `ready` is said when every shard listens. A version that never says it replaces the old one all the same, after this.
    wait_ready: true,
    listen_timeout: 20_000,
    // Longer than the shutdown may take, so that the drain is over before pm2 kills.
    kill_timeout: positive('TICKCAST_KILL_TIMEOUT', shutdownMs + 5_000),
    // Far above memory.thresholdMb, where the gateway itself begins to give memory back: what is left for a leak.
    max_memory_restart: env.TICKCAST_MEMORY ?? '2G',
    // A gateway that cannot start is tried again more and more seldom, up to every 15 s, and never given up.
    exp_backoff_restart_delay: 100,
    max_restarts: Number.MAX_SAFE_INTEGER,
    out_file: join(logDirectory, 'tickcast.log'),
    error_file: join(logDirectory, 'tickcast-error.log'),
    merge_logs: true,
    env: {
      NODE_ENV: 'production',
      TICKCAST__SERVER__SHAREPORT: 'true',
      // Tells the next reload that nobody has asked for this number.
      TICKCAST_DERIVED_SHARDS: derivedShards,
      ...(shards === '' ? {} : { TICKCAST__SHARDS: shards }),
    },
  },
];

/** @param {string} name @param {number} fallback */
function positive(name, fallback) {
  const value = Number(env[name] ?? fallback);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name}: ${env[name]} is not a whole number from 1`);
  return value;
}

/**
 * pm2: `npx pm2 start ecosystem.config.js`. An ESM package has to export `apps` by name; nothing else is read.
 * pm2 only forks and watches. The instances share the port by SO_REUSEPORT, which `sharePort` allows.
 */
export const apps = [
  {
    name: 'tickcast',
    script: 'src/main.ts',
    interpreter: 'node',
    exec_mode: 'cluster',
    instances: Number(process.env.TICKCAST_INSTANCES ?? 1),
    wait_ready: true,
    listen_timeout: 20_000,
    // Longer than shutdown.timeoutMs (10 s), so that the drain is over before pm2 kills.
    kill_timeout: 15_000,
    env: { NODE_ENV: 'production', TICKCAST__SERVER__SHAREPORT: 'true' },
  },
];

import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { TestProcess } from '../support/child-process.ts';

const ECOSYSTEM = new URL('../../ecosystem.config.js', import.meta.url);
const PRINT = new URL('../support/print-ecosystem.fixture.ts', import.meta.url);

interface App {
  script: string;
  args: string[];
  kill_timeout: number;
  env: Record<string, string>;
}

async function app(env: Record<string, string> = {}): Promise<App> {
  const { stdout, stderr } = await new TestProcess(PRINT, [ECOSYSTEM.href], env).ended;
  expect(stderr).toBe('');
  return (JSON.parse(stdout) as App[])[0]!;
}

describe('ecosystem.config.js', () => {
  it('without a file divides the cores among the shards of the instances', async () => {
    const { script, args, kill_timeout, env } = await app({ TICKCAST_INSTANCES: '1' });
    const shards = String(Math.max(1, availableParallelism() - 1));
    expect({ script, args, kill_timeout }).toEqual({
      script: 'src/operate/instance.js',
      args: [],
      kill_timeout: 15_000,
    });
    expect(env).toMatchObject({ TICKCAST__SHARDS: shards, TICKCAST_DERIVED_SHARDS: 'auto' });
  });

  it('leaves the shards to a file that nobody has checked', async () => {
    const { args, env } = await app({ TICKCAST_CONFIG: 'a.yaml' });
    expect(args).toEqual(['--config', 'a.yaml']);
    expect(env).not.toHaveProperty('TICKCAST__SHARDS');
  });

  it('takes what a checked file says of shards and of the shutdown', async () => {
    const derived = { TICKCAST_DERIVED_SHARDS: '9', TICKCAST_KILL_TIMEOUT: '65000' };
    const { kill_timeout, env } = await app({ TICKCAST_CONFIG: 'a.yaml', ...derived });
    expect(kill_timeout).toBe(65_000);
    expect(env).toMatchObject({ TICKCAST__SHARDS: '9', TICKCAST_DERIVED_SHARDS: '9' });
  });

  it('lets the variable of an option say more than all of them', async () => {
    const given = { TICKCAST__SHARDS: '2', TICKCAST__SHUTDOWN__TIMEOUTMS: '20000' };
    const { kill_timeout, env } = await app(given);
    expect(kill_timeout).toBe(25_000);
    expect(env).toMatchObject({ TICKCAST__SHARDS: '2', TICKCAST_DERIVED_SHARDS: '' });
  });
});

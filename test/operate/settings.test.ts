import { describe, expect, it } from 'vitest';
import { changes, derivedSettings, type Listed, runningSettings, settingsOf } from '../../src/operate/settings.ts';

const listed = (env: Record<string, unknown>, args: string[] = []): Listed => ({
  name: 'tickcast',
  pm2_env: { pm_cwd: '/srv/current', args, env },
});

describe('settings', () => {
  it('are the variables of Tickcast, in any case, but for those that were derived', () => {
    const env = { PATH: '/bin', TICKCAST_CONFIG: 'a.yaml', tickcast__server__port: '1', TICKCAST_KILL_TIMEOUT: '9' };
    expect(settingsOf({ ...env, tickcast: '{}', TICKCAST_DERIVED_SHARDS: '' })).toEqual({
      TICKCAST_CONFIG: 'a.yaml',
      tickcast__server__port: '1',
    });
  });

  it('of what runs are told by its arguments, its place and its number before its environment', () => {
    const stale = {
      TICKCAST_CONFIG: 'old.yaml',
      TICKCAST_INSTANCES: '7',
      TICKCAST_HOME: '/old',
      TICKCAST_MEMORY: '1G',
    };
    const one = listed(stale, ['--config', 'new.yaml']);
    expect(runningSettings([one, one])).toEqual({
      TICKCAST_CONFIG: 'new.yaml',
      TICKCAST_HOME: '/srv/current',
      TICKCAST_INSTANCES: '2',
      TICKCAST_MEMORY: '1G',
    });
    expect(runningSettings([listed(stale)])).not.toHaveProperty('TICKCAST_CONFIG');
  });

  it('of what runs hold the shards that somebody asked for, not those that were derived', () => {
    const given = runningSettings([listed({ TICKCAST__SHARDS: '3', TICKCAST_DERIVED_SHARDS: '' })]);
    expect(given.TICKCAST__SHARDS).toBe('3');
    const derived = runningSettings([listed({ TICKCAST__SHARDS: '3', TICKCAST_DERIVED_SHARDS: 'auto' })]);
    expect(derived).not.toHaveProperty('TICKCAST__SHARDS');
  });

  it('that change are named with their value, secrets without', () => {
    const before = { TICKCAST_MEMORY: '1G', TICKCAST_CONFIG: 'a.yaml' };
    const after = { ...before, TICKCAST_CONFIG: 'b.yaml', TICKCAST__ADMIN__TOKEN: 'open sesame' };
    expect(changes(before, after)).toEqual(['TICKCAST_CONFIG=b.yaml', 'TICKCAST__ADMIN__TOKEN=(hidden)']);
    expect(changes(before, { ...before })).toEqual([]);
  });

  it('are derived from the checked configuration: time to shut down, and shards that no variable gives', () => {
    const printed = 'shards: 4 # file\nshutdown:\n  timeoutMs: 60000\n';
    expect(derivedSettings(printed, {})).toEqual({ TICKCAST_KILL_TIMEOUT: '65000', TICKCAST_DERIVED_SHARDS: '4' });
    expect(derivedSettings(printed, { TICKCAST__shards: '4' })).toMatchObject({ TICKCAST_DERIVED_SHARDS: '' });
  });
});

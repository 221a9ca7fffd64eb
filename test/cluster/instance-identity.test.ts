import { describe, expect, it } from 'vitest';
import { instanceIdentity } from '../../src/cluster/instance-identity.ts';

describe('the number of an instance', () => {
  it.each([
    [true, {}, 0],
    [false, {}, 4711],
    [true, { NODE_APP_INSTANCE: '3' }, 3],
    [false, { NODE_APP_INSTANCE: '0' }, 0],
    [false, { NODE_APP_INSTANCE: '' }, 4711],
    [false, { NODE_APP_INSTANCE: '-1' }, 4711],
    [false, { NODE_APP_INSTANCE: '1e3' }, 4711],
    [false, { NODE_APP_INSTANCE: '99999999999999999999' }, 4711],
  ])('alone: %s, with %j: %d', (alone, env, process) => {
    expect(instanceIdentity(alone, env, 4711)).toEqual({ process, pid: 4711 });
  });
});

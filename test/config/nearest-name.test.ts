import { describe, expect, it } from 'vitest';
import { nearestName } from '../../src/config/nearest-name.ts';
import { OPTIONS } from '../../src/config/options.ts';

const KNOWN = [...OPTIONS.map((option) => option.name), 'config', 'help', 'version', 'print-config'];

describe('nearestName', () => {
  it.each([
    ['server.prot', 'server.port'],
    ['servr.port', 'server.port'],
    ['SERVER.PORT', 'server.port'],
    ['port', 'server.port'],
    ['rate', 'source.simulator.rate'],
    ['pendingbytes', 'limits.pendingBytes'],
    ['limit.connections', 'limits.connections'],
    ['shard', 'shards'],
    ['hlep', 'help'],
    ['versoin', 'version'],
    ['print_config', 'print-config'],
    ['admin.tokn', 'admin.token'],
  ])('takes %s for %s', (mistyped, meant) => {
    expect(nearestName(mistyped, KNOWN)).toBe(meant);
  });

  it.each(['', 'x', '__proto__', 'zzzzzzzzzz', '🦀🦀🦀🦀'])('has nothing to say about %j', (mistyped) => {
    expect(nearestName(mistyped, KNOWN)).toBeUndefined();
  });

  it('looks at the beginning of a name of any length only', () => {
    expect(nearestName(`${'server.port'.repeat(100_000)}`, KNOWN)).toBeUndefined();
  });
});

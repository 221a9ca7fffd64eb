import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findOption, findOptionAnyCase, OPTIONS } from '../../src/config/options.ts';
import { configSchema } from '../../src/config/schema.ts';

function leafNames(schema: z.ZodObject, prefix = ''): string[] {
  return Object.entries(schema.shape).flatMap(([key, child]) =>
    child instanceof z.ZodObject ? leafNames(child, `${prefix}${key}.`) : [prefix + key],
  );
}

describe('the table of options', () => {
  it('lists every leaf of the schema once, in its order', () => {
    expect(OPTIONS.map((option) => option.name)).toEqual(leafNames(configSchema));
  });

  it.each(OPTIONS.map((option) => [option.name, option] as const))(
    '%s has a sentence, a range and a default in it',
    (_, option) => {
      expect(option.description).toMatch(/\S/);
      expect(option.allowed).toMatch(/\S/);
      expect(option.allowed).not.toMatch(/any|Infinity|undefined|9007199254740991/);
      expect(option.schema.safeParse(option.default).success).toBe(true);
    },
  );

  it.each([
    ['server.port', 'integer', '0 to 65535', '', 8080],
    ['shards', 'choice', 'auto or 1 to 64', '', 'auto'],
    ['source.kind', 'choice', 'simulator, recording, ndjson or none', '', 'simulator'],
    ['source.simulator.rate', 'number', '0 to 10000000', '1/s', 1000],
    [
      'source.simulator.types',
      'list',
      'a list of trade, ticker, kline or depth, each at most once',
      '',
      ['trade', 'ticker', 'kline', 'depth'],
    ],
    ['source.recording.speed', 'choice', 'max or 0.001 to 1000000', '', 1],
    ['source.recording.loop', 'boolean', 'true or false', '', true],
    ['limits.connections', 'integer', '0 to 1000000; 0: no limit', '', 10_000],
    ['limits.commandsPerSecond', 'integer', '0 to 1000000; 0: no limit', '1/s', 100],
    ['conflation.book', 'list', 'a list of data types in lower case, each at most once', '', ['depth']],
    ['ring.bytes', 'integer', '1048576 to 1073741824', 'bytes', 67_108_864],
    ['heartbeat.intervalMs', 'integer', '10 to 3600000', 'ms', 30_000],
    ['memory.thresholdMb', 'integer', '0 to 1048576', 'MB', 512],
    ['memory.checkIntervalMs', 'integer', '10 to 3600000', 'ms', 10_000],
    ['admin.host', 'text', 'an IP address or a host name', '', '127.0.0.1'],
  ])('describes %s', (name, type, allowed, unit, byDefault) => {
    expect(findOption(name)).toMatchObject({ name, type, allowed, unit, default: byDefault, secret: false });
  });

  it('keeps the names apart when cases do not count', () => {
    expect(new Set(OPTIONS.map((option) => option.name.toLowerCase())).size).toBe(OPTIONS.length);
    expect(findOptionAnyCase('LIMITS.PENDINGBYTES')?.name).toBe('limits.pendingBytes');
  });

  it('takes the token alone for a secret', () => {
    expect(OPTIONS.filter((option) => option.secret).map((option) => option.name)).toEqual(['admin.token']);
  });

  it.each(['__proto__', 'constructor', 'toString', 'server', 'server.__proto__', 'server.constructor', ''])(
    'has no option named %j',
    (name) => {
      expect(findOption(name)).toBeUndefined();
      expect(findOptionAnyCase(name)).toBeUndefined();
    },
  );
});

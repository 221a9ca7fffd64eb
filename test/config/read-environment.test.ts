import { describe, expect, it } from 'vitest';
import { OPTIONS } from '../../src/config/options.ts';
import { type Environment, environmentVariable, readEnvironment } from '../../src/config/read-environment.ts';

function read(env: Environment) {
  const { given, problems } = readEnvironment(env);
  return {
    values: Object.fromEntries(given.map(({ option, value }) => [option.name, value])),
    origins: given.map(({ origin }) => origin),
    problems: problems.map((each) => `${each.name}: ${each.message} (${each.origin})`),
  };
}

describe('readEnvironment', () => {
  it.each([
    [{ TICKCAST__SERVER__PORT: '9000' }, { 'server.port': 9000 }],
    [{ tickcast__server__port: '9000' }, { 'server.port': 9000 }],
    [{ TICKCAST__limits__pendingBytes: '5' }, { 'limits.pendingBytes': 5 }],
    [{ TICKCAST__SHARDS: 'auto' }, { shards: 'auto' }],
    [{ TICKCAST__DEFAULTSUBSCRIPTION: 'none' }, { defaultSubscription: 'none' }],
    [{ TICKCAST__SOURCE__SIMULATOR__TYPES: 'trade,kline' }, { 'source.simulator.types': ['trade', 'kline'] }],
    [{ TICKCAST__DATAFLOW__STRICT: 'true' }, { 'dataflow.strict': true }],
    [{ TICKCAST__ADMIN__TOKEN: '' }, { 'admin.token': '' }],
  ])('reads %j', (env, values) => {
    expect(read(env)).toMatchObject({ values, problems: [] });
  });

  it('passes by what is not ours', () => {
    const env = {
      PATH: '/bin',
      TICKCAST_PORT: 'tcp://10.0.0.1:80',
      TICKCAST: '1',
      XTICKCAST__SERVER__PORT: '1',
      TICKCAST__SHARDS: undefined,
    };
    expect(read(env)).toEqual({ values: {}, origins: [], problems: [] });
  });

  it('says which variable a value came from, as it was spelt', () => {
    expect(read({ Tickcast__Server__Port: '1' }).origins).toEqual(['environment Tickcast__Server__Port']);
  });

  it.each([
    [
      { TICKCAST__SERVER__PROT: '1' },
      'TICKCAST__SERVER__PROT: there is no such option; did you mean server.port? (environment TICKCAST__SERVER__PROT)',
    ],
    [{ TICKCAST__: '1' }, 'TICKCAST__: there is no such option; --help lists them all (environment TICKCAST__)'],
    [
      { TICKCAST____PROTO__: '1' },
      'TICKCAST____PROTO__: there is no such option; --help lists them all (environment TICKCAST____PROTO__)',
    ],
    [{ TICKCAST__CONSTRUCTOR: '1' }, 'TICKCAST__CONSTRUCTOR: there is no such option'],
    [{ TICKCAST__SERVER: '1' }, 'TICKCAST__SERVER: is a group of options: server.port, '],
    [{ TICKCAST__SHARDS: '1', tickcast__shards: '1' }, 'shards: given more than once (environment tickcast__shards)'],
  ])('refuses %j', (env, line) => {
    const { problems } = read(env);
    expect(problems).toHaveLength(1);
    expect(problems[0]!.slice(0, line.length)).toBe(line);
  });

  it('shows no value of an unknown variable', () => {
    expect(read({ TICKCAST__ADMIN__TOKN: 'S3CRET' }).problems.join()).not.toContain('S3CRET');
  });

  it.each(OPTIONS.map((option) => [environmentVariable(option), option] as const))('knows %s', (variable, option) => {
    expect(readEnvironment({ [variable]: 'x' }).given[0]?.option).toBe(option);
  });
});

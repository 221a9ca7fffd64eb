import { describe, expect, it } from 'vitest';
import { readArguments } from '../../src/config/read-arguments.ts';

/** Values by name, and the problems as lines. */
function read(...argv: string[]) {
  const { given, problems, action, file } = readArguments(argv);
  return {
    action,
    file,
    values: Object.fromEntries(given.map(({ option, value }) => [option.name, value])),
    origins: given.map(({ origin }) => origin),
    problems: problems.map((each) => `${each.name}: ${each.message} (${each.origin})`),
  };
}

describe('readArguments', () => {
  it('starts with no arguments at all', () => {
    expect(read()).toEqual({ action: 'start', file: undefined, values: {}, origins: [], problems: [] });
  });

  it.each([
    [['--server.port', '9000'], { 'server.port': 9000 }],
    [['--server.port=9000'], { 'server.port': 9000 }],
    [['--server.port', '-5'], { 'server.port': -5 }],
    [['--source.simulator.types', 'trade,depth'], { 'source.simulator.types': ['trade', 'depth'] }],
    [['--dataflow.strict'], { 'dataflow.strict': true }],
    [['--dataflow.strict', '--server.port', '1'], { 'dataflow.strict': true, 'server.port': 1 }],
    [['--dataflow.strict', 'false'], { 'dataflow.strict': false }],
    [['--dataflow.strict=false'], { 'dataflow.strict': false }],
    [['--source.recording.file=a=b'], { 'source.recording.file': 'a=b' }],
    [['--source.recording.file=--x'], { 'source.recording.file': '--x' }],
    [['--log.file='], { 'log.file': '' }],
    [['--log.file', ''], { 'log.file': '' }],
  ])('reads %j', (argv, values) => {
    expect(read(...argv)).toMatchObject({ values, problems: [], action: 'start' });
  });

  it('says which flag a value came from', () => {
    expect(read('--server.port', '1', '--shards=2').origins).toEqual(['flag --server.port', 'flag --shards']);
  });

  it.each([
    [['--config', 'a.yaml'], 'a.yaml'],
    [['--config=a.yaml'], 'a.yaml'],
    [['--server.port', '1', '--config', 'a b.yaml', '--shards', '2'], 'a b.yaml'],
  ])('finds the file in %j', (argv, file) => {
    expect(read(...argv)).toMatchObject({ file, problems: [] });
  });

  it.each([
    [['--help'], 'help'],
    [['--version'], 'version'],
    [['--print-config', '--server.port', '1'], 'print-config'],
    [['--version', '--help'], 'help'],
    [['--print-config', '--version'], 'version'],
    [['--nonsense', '--help'], 'help'],
  ])('asked %j, does %s', (argv, action) => {
    expect(read(...argv).action).toBe(action);
  });

  it.each([
    [['--server.port'], 'server.port: the value is missing; allowed: 0 to 65535 (flag --server.port)'],
    [['--server.port', '--help'], 'server.port: the value is missing; allowed: 0 to 65535 (flag --server.port)'],
    [['--config'], '--config: the value is missing; allowed: the path of a YAML file (flag --config)'],
    [['--config='], '--config: the value is missing; allowed: the path of a YAML file (flag --config)'],
    [['--config', 'a', '--config', 'a'], '--config: given more than once (flag --config)'],
    [['--shards', '1', '--shards=1'], 'shards: given more than once (flag --shards)'],
    [['--help=yes'], '--help: takes no value (flag --help)'],
    [['--server.prot', '1'], '--server.prot: there is no such option; did you mean server.port? (flag --server.prot)'],
    [['--Server.Port=1'], '--Server.Port: there is no such option; did you mean server.port? (flag --Server.Port)'],
    [['--hlep'], '--hlep: there is no such option; did you mean help? (flag --hlep)'],
    [['--'], '--: there is no such option; --help lists them all (flag --)'],
    [['--__proto__', 'x'], '--__proto__: there is no such option; --help lists them all (flag --__proto__)'],
    [['-server.port', '1'], '-server.port: there is no such option; did you mean server.port? (flag -server.port)'],
    [
      ['--heartbeat', '1'],
      'heartbeat: is a group of options: heartbeat.intervalMs, heartbeat.timeoutMs (flag --heartbeat)',
    ],
    [['server.port', '1'], 'server.port: belongs to no flag; did you mean --server.port? (argument 1)'],
    [['--shards', '1', 'extra'], 'extra: belongs to no flag; flags are written --name value (argument 3)'],
  ])('refuses %j', (argv, line) => {
    expect(read(...argv).problems).toEqual([line]);
  });

  it('goes on behind a problem', () => {
    const { values, problems } = read('--nonsense', 'x', '--server.port', '9', '--more=', '--shards', '2');
    expect(values).toEqual({ 'server.port': 9, shards: 2 });
    expect(problems).toHaveLength(2);
  });

  it.each([
    [['--admin.token', 'S3CRET', 'S3CRET']],
    [['--admin.token', 'x', 'S3CRET', 'S3CRET', 'S3CRET']],
    [['--admin.token=x', 'S3CRET']],
    [['--admin.tokn', 'S3CRET', 'S3CRET']],
    [['--admin.tokn=S3CRET']],
    [['--tokn=S3CRET', 'S3CRET']],
    [['-admin.token', 'S3CRET']],
    [['-admin.token=S3CRET']],
    [['admin.token', 'S3CRET', 'S3CRET']],
    [['admin.token=S3CRET']],
    [['--admin.token', 'x', '--admin.token', 'S3CRET']],
    [['--ADMIN.TOKEN', 'S3CRET']],
  ])('names no part of the token in %j', (argv) => {
    const { problems } = read(...argv);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).not.toContain('S3CRET');
  });
});

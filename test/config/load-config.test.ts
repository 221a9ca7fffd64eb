import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CROSS_CHECKS } from '../../src/config/cross-checks.ts';
import { createConfig, loadConfig } from '../../src/config/load-config.ts';
import type { Environment } from '../../src/config/read-environment.ts';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import { TickcastError } from '../../src/util/errors.ts';

function load(argv: readonly string[], { env = {}, file = '' }: { env?: Environment; file?: string } = {}) {
  return loadConfig({ argv, env, readFile: () => file });
}

/** The error that a call throws, which has to be one of Tickcast's. */
function refusal(call: () => unknown): TickcastError {
  try {
    call();
  } catch (thrown) {
    if (thrown instanceof TickcastError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

function lines(call: () => unknown): string[] {
  return refusal(call).message.split('\n');
}

describe('the order of the layers', () => {
  const file = 'server: { port: 2 }';
  const env = { TICKCAST__SERVER__PORT: '3' };

  it.each([
    ['the default', [], undefined, 8080, undefined],
    ['the file over the default', ['--config', 'c.yaml'], undefined, 2, 'file c.yaml'],
    ['the environment over the file', ['--config', 'c.yaml'], env, 3, 'environment TICKCAST__SERVER__PORT'],
    ['a flag over the environment', ['--config', 'c.yaml', '--server.port', '4'], env, 4, 'flag --server.port'],
    ['a flag over the file', ['--server.port', '4', '--config', 'c.yaml'], undefined, 4, 'flag --server.port'],
  ] as const)('takes %s', (_, argv, environment, port, origin) => {
    const { config, origins } = load(argv, { file, env: environment ?? {} });
    expect(config.server.port).toBe(port);
    expect(origins.get('server.port')).toBe(origin);
  });

  it('joins options of one group from all layers', () => {
    const { config, origins } = load(['--config', 'c.yaml', '--server.path', '/feed'], {
      file: 'server: { backlog: 9 }',
      env: { TICKCAST__SERVER__HOST: '::1' },
    });
    expect(config.server).toEqual({ ...createConfig().server, backlog: 9, host: '::1', path: '/feed' });
    expect([...origins]).toEqual([
      ['server.backlog', 'file c.yaml'],
      ['server.host', 'environment TICKCAST__SERVER__HOST'],
      ['server.path', 'flag --server.path'],
    ]);
  });

  it('replaces a list whole', () => {
    const { config } = load(['--config', 'c.yaml', '--source.simulator.types', 'kline'], {
      file: 'source: { simulator: { types: [trade, depth] } }',
    });
    expect(config.source.simulator.types).toEqual(['kline']);
  });

  it('reads no file unless it is asked to', () => {
    const readFile = () => {
      throw new Error('read');
    };
    expect(loadConfig({ argv: [], env: {}, readFile }).config).toEqual(createConfig());
  });
});

describe('a value that is not allowed', () => {
  it.each([
    ['--server.port=99999', 'server.port: 99999 is not allowed; allowed: 0 to 65535 (flag --server.port)'],
    ['--server.port=-1', 'server.port: -1 is not allowed; allowed: 0 to 65535 (flag --server.port)'],
    ['--server.port=80.5', 'server.port: 80.5 is not allowed; allowed: 0 to 65535 (flag --server.port)'],
    ['--server.port=http', 'server.port: "http" is not allowed; allowed: 0 to 65535 (flag --server.port)'],
    ['--server.port=', 'server.port: "" is not allowed; allowed: 0 to 65535 (flag --server.port)'],
    [
      '--server.path=ws',
      'server.path: "ws" is not allowed; allowed: a path that starts with /, without ?, # or spaces, not /health and not under /api (flag --server.path)',
    ],
    ['--server.host=', 'server.host: "" is not allowed; allowed: an IP address or a host name (flag --server.host)'],
    [
      '--server.trustProxy=10.0.0.0/33,::1',
      'server.trustProxy: ["10.0.0.0/33", "::1"] is not allowed; allowed: a list of addresses such as 10.0.0.7 or 2001:db8::7, or ranges such as 10.0.0.0/8 or 2001:db8::/32, each at most once (flag --server.trustProxy)',
    ],
    ['--shards=0', 'shards: 0 is not allowed; allowed: auto or 1 to 64 (flag --shards)'],
    ['--shards=many', 'shards: "many" is not allowed; allowed: auto or 1 to 64 (flag --shards)'],
    [
      '--source.kind=kafka',
      'source.kind: "kafka" is not allowed; allowed: simulator, recording, ndjson or none (flag --source.kind)',
    ],
    [
      '--source.simulator.types=trade,news',
      'source.simulator.types: ["trade", "news"] is not allowed; allowed: a list of trade, ticker, kline or depth, each at most once (flag --source.simulator.types)',
    ],
    ...['foo:99999', 'foo:65536', 'foo:0'].map((given) => [
      `--source.ndjson.connect=${given}`,
      `source.ndjson.connect: "${given}" is not allowed; allowed: host:port with a port from 1 to 65535, the path of a Unix socket of at most 107 characters, or empty (flag --source.ndjson.connect)`,
    ]),
    [
      '--source.recording.speed=0',
      'source.recording.speed: 0 is not allowed; allowed: max or 0.001 to 1000000 (flag --source.recording.speed)',
    ],
    ['--dataflow.strict=yes', 'dataflow.strict: "yes" is not allowed; allowed: true or false (flag --dataflow.strict)'],
    [
      '--limits.connections=-1',
      'limits.connections: -1 is not allowed; allowed: 0 to 1000000; 0: no limit (flag --limits.connections)',
    ],
  ])('%s is refused by name, value, range and origin', (flag, line) => {
    expect(lines(() => load([flag]))).toEqual([line]);
  });

  it.each(['', 'trade,', ',', 'trade,trade'])('a list such as %j is refused', (text) => {
    expect(lines(() => load([`--source.simulator.types=${text}`]))).toHaveLength(1);
  });

  it.each(['/', '/ws', '/a/b-c_d.e~f', '/apiary', '/healthy', '/%C3%A9', '/ws!$&\'()*+,;=:@"'])(
    'the path %j is allowed',
    (path) => {
      expect(createConfig({ server: { path } }).server.path).toBe(path);
    },
  );

  it.each(['', 'ws', '/a b', '/a?b', '/a#b', '/é', '/api', '/api/ws', '/health', '/a\n', `/${'a'.repeat(2_000)}`])(
    'the path %.20j is refused',
    (path) => {
      expect(refusal(() => createConfig({ server: { path } })).code).toBe('INVALID_OPTION');
    },
  );

  it.each(['0.0.0.0', '::', 'fe80::1%eth0', 'gateway-1.example', 'localhost'])('the host %s is allowed', (host) => {
    expect(createConfig({ server: { host } }).server.host).toBe(host);
  });

  it.each([
    ['server: { port: "9000" }', 'server.port: "9000" is not allowed; allowed: 0 to 65535 (file c.yaml)'],
    ['server: { host: }', 'server.host: nothing is not allowed; allowed: an IP address or a host name (file c.yaml)'],
    ['dataflow: { strict: "true" }', 'dataflow.strict: "true" is not allowed; allowed: true or false (file c.yaml)'],
    ['shards: { n: 1 }', 'shards: a group is not allowed; allowed: auto or 1 to 64 (file c.yaml)'],
    ['shards: .nan', 'shards: NaN is not allowed; allowed: auto or 1 to 64 (file c.yaml)'],
    ['ring: { topics: .inf }', 'ring.topics: Infinity is not allowed; allowed: 1 to 1048576 (file c.yaml)'],
    [
      'source: { simulator: { types: trade } }',
      'source.simulator.types: "trade" is not allowed; allowed: a list of trade, ticker, kline or depth, each at most once (file c.yaml)',
    ],
  ])('in a file, %j is', (file, line) => {
    expect(lines(() => load(['--config', 'c.yaml'], { file }))).toEqual([line]);
  });

  it('is reported also where a higher layer overrides it', () => {
    const call = () => load(['--config', 'c.yaml', '--server.port', '1'], { file: 'server: { port: x }' });
    expect(lines(call)).toEqual(['server.port: "x" is not allowed; allowed: 0 to 65535 (file c.yaml)']);
  });
});

describe('several problems', () => {
  it('are reported together, a line each, and listed in the detail', () => {
    const error = refusal(() =>
      load(['--config', 'c.yaml', '--shards', '0', '--nonsense', '--log.level'], {
        file: 'server: { port: x, prot: 1 }',
        env: { TICKCAST__RING__TOPICS: 'all', TICKCAST__OTHER: '' },
      }),
    );
    expect(error.code).toBe('INVALID_OPTION');
    const names = ['server.prot', 'TICKCAST__OTHER', '--nonsense', 'log.level', 'server.port', 'ring.topics', 'shards'];
    expect(error.message.split('\n').map((line) => line.slice(0, line.indexOf(':')))).toEqual(names);
    expect(error.detail).toMatchObject({
      problems: names.map((option) => ({ option, message: expect.any(String), origin: expect.any(String) })),
    });
  });

  it('carry the code of the file where the file is one of them', () => {
    const error = refusal(() => load(['--config', 'c.yaml', '--shards', '0'], { file: '[' }));
    expect(error.code).toBe('CONFIG_FILE_UNREADABLE');
    expect(error.message.split('\n')).toHaveLength(2);
    expect(error.message).toMatch(/^c\.yaml: is not YAML/);
    expect(error.message).toContain('\nshards: 0 is not allowed');
  });
});

describe('options that do not go together', () => {
  const cases: [rule: string, bad: ConfigOverrides, good: ConfigOverrides][] = [
    [
      'heartbeat.timeoutMs heartbeat.intervalMs',
      { heartbeat: { timeoutMs: 30_000 } },
      { heartbeat: { timeoutMs: 30_001 } },
    ],
    [
      'dataflow.backpressureAt dataflow.queueLimit',
      { dataflow: { queueLimit: 7_999 } },
      { dataflow: { queueLimit: 8_000 } },
    ],
    [
      'source.recording.file source.kind',
      { source: { kind: 'recording' } },
      { source: { kind: 'recording', recording: { file: 'x' } } },
    ],
    [
      'source.recording.anchorMs source.recording.speed',
      { source: { recording: { anchorMs: 1, speed: 'max' } } },
      { source: { recording: { anchorMs: 1, speed: 2 } } },
    ],
    [
      'source.ndjson.connect source.ndjson.port',
      { source: { ndjson: { connect: '/feed', port: 9 } } },
      { source: { ndjson: { connect: '/feed' } } },
    ],
    [
      'source.ndjson.connect source.ndjson.path',
      { source: { ndjson: { connect: '127.0.0.1:9', path: '/x' } } },
      { source: { ndjson: { connect: '[::1]:9' } } },
    ],
    [
      'source.restartDelayMaxMs source.restartDelayMs',
      { source: { restartDelayMs: 30_001 } },
      { source: { restartDelayMs: 30_000 } },
    ],
    [
      'supervisor.restartDelayMaxMs supervisor.restartDelayMs',
      { supervisor: { restartDelayMaxMs: 99 } },
      { supervisor: { restartDelayMaxMs: 100 } },
    ],
    ['ring.bytes limits.payloadBytes', { ring: { bytes: 4_194_303 } }, { ring: { bytes: 4_194_304 } }],
    [
      'conflation.book conflation.latest',
      { conflation: { latest: ['depth'] } },
      { conflation: { latest: ['depth'], book: [] } },
    ],
    ['admin.port server.port', { admin: { port: 8080 } }, { admin: { port: 8081 } }],
    [
      'source.ndjson.port server.port',
      { source: { kind: 'ndjson', ndjson: { port: 8080 } } },
      { source: { kind: 'simulator', ndjson: { port: 8080 } } },
    ],
    [
      'source.ndjson.port admin.port',
      { admin: { port: 9 }, source: { kind: 'ndjson', ndjson: { port: 9 } } },
      { admin: { port: 9 }, source: { kind: 'ndjson', ndjson: { port: 10 } } },
    ],
  ];

  it('each have a case here', () => {
    expect(cases.map(([rule]) => rule)).toEqual(CROSS_CHECKS.map(({ name, because }) => `${name} ${because}`));
  });

  it.each(cases)('%s: named both, with their values', (rule, bad, good) => {
    const [name, because] = rule.split(' ') as [string, string];
    const [line, ...more] = lines(() => createConfig(bad));
    expect(more).toEqual([]);
    expect(line).toMatch(
      new RegExp(`^${name}: \\S+ is not allowed; allowed: .+ ${because}, which is \\S+ \\(.+\\) \\(.+\\)$`),
    );
    expect(createConfig(good)).toMatchObject(good);
  });

  it('say where both came from', () => {
    const call = () => load(['--heartbeat.intervalMs', '70000'], { env: { TICKCAST__HEARTBEAT__TIMEOUTMS: '65000' } });
    expect(lines(call)).toEqual([
      'heartbeat.timeoutMs: 65000 is not allowed; allowed: more than heartbeat.intervalMs, which is 70000 (flag --heartbeat.intervalMs) (environment TICKCAST__HEARTBEAT__TIMEOUTMS)',
    ]);
  });

  it('are not judged by a value that is refused anyway', () => {
    expect(lines(() => createConfig({ heartbeat: { timeoutMs: 5, intervalMs: 70_000 } }))).toHaveLength(1);
  });

  it('leave the ring alone where payloads have no limit', () => {
    expect(createConfig({ ring: { bytes: 1_048_576 }, limits: { payloadBytes: 0 } }).ring.bytes).toBe(1_048_576);
  });

  it('leave two free ports alone', () => {
    expect(createConfig({ server: { port: 0 }, admin: { port: 0 } }).server.port).toBe(0);
  });
});

describe('files that the configuration names', () => {
  function temporaryDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'tickcast-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    return directory;
  }

  it('are looked at: a recording that is missing or a directory is refused', () => {
    const directory = temporaryDirectory();
    for (const file of [directory, join(directory, 'none.ws'), join(directory, 'a\u0301'.repeat(500))]) {
      const [line] = lines(() => load(['--source.kind', 'recording', '--source.recording.file', file]));
      expect(line).toMatch(
        /^source\.recording\.file: ".+ is not allowed; allowed: a file that exists and can be read \(flag /,
      );
    }
    const file = join(directory, 'there.ws');
    writeFileSync(file, '');
    expect(load(['--source.kind', 'recording', '--source.recording.file', file]).config.source.recording.file).toBe(
      file,
    );
  });

  it('are left alone while nothing reads them', () => {
    expect(load(['--source.recording.file', '/none/such']).config.source.kind).toBe('simulator');
  });

  it('are looked at: a log file needs a directory', () => {
    const directory = temporaryDirectory();
    expect(lines(() => load(['--log.file', directory]))[0]).toContain(
      'allowed: a file, not a directory (flag --log.file)',
    );
    expect(lines(() => load(['--log.file', join(directory, 'none', 'a.log')]))[0]).toContain(
      'a file in a directory that exists',
    );
    const file = join(directory, 'a.log');
    expect(load(['--log.file', file]).config.log.file).toBe(file);
    writeFileSync(file, '');
    expect(load(['--log.file', file]).config.log.file).toBe(file);
  });
});

describe('the token', () => {
  it.each([
    ['a flag', () => load(['--admin.token=S3CRET TOKEN'])],
    ['the environment', () => load([], { env: { TICKCAST__ADMIN__TOKEN: 'S3CRET\n' } })],
    ['a file', () => load(['--config', 'c.yaml'], { file: 'admin: { token: [S3CRET] }' })],
    ['the options of an embedded gateway', () => createConfig({ admin: { token: 'S3CRET ' } })],
  ])('from %s is never shown when it is refused', (_, call) => {
    const error = refusal(call);
    expect(error.message).toMatch(/^admin\.token: its value \(hidden\) is not allowed; allowed: .*without spaces/);
    expect(`${error.message}${error.stack}${JSON.stringify(error.detail)}`).not.toContain('S3CRET');
  });

  it('may look like a number', () => {
    expect(load(['--admin.token', '12345']).config.admin.token).toBe('12345');
  });
});

describe('createConfig', () => {
  it('gives the defaults for nothing, and for what is undefined', () => {
    expect(createConfig()).toEqual(load([]).config);
    expect(createConfig({ server: undefined, ring: { bytes: undefined } })).toEqual(createConfig());
  });

  it('takes a whole configuration and gives an equal one', () => {
    const config = createConfig({ server: { port: 9 }, source: { simulator: { types: ['depth'] } } });
    expect(createConfig(config)).toEqual(config);
  });

  it('names itself as the origin', () => {
    const overrides = { server: { port: 'x' }, sharts: 2 } as unknown as ConfigOverrides;
    expect(lines(() => createConfig(overrides))).toEqual([
      'sharts: there is no such option; did you mean shards? (Gateway options)',
      'server.port: "x" is not allowed; allowed: 0 to 65535 (Gateway options)',
    ]);
  });

  it('freezes all of the result and nothing of what it was given', () => {
    const overrides = { source: { simulator: { types: ['trade' as const] } } };
    const config = createConfig(overrides);
    expect(
      Object.isFrozen(config) && Object.isFrozen(config.server) && Object.isFrozen(config.source.simulator.types),
    ).toBe(true);
    overrides.source.simulator.types.pop();
    expect(config.source.simulator.types).toEqual(['trade']);
    expect(() => {
      config.server.port = 1;
    }).toThrow(TypeError);
  });

  it('does not hand out the same list twice', () => {
    expect(createConfig().source.simulator.types).not.toBe(createConfig().source.simulator.types);
  });

  it('can be posted to a thread', () => {
    expect(structuredClone(createConfig())).toEqual(createConfig());
  });

  it.each([
    ['a key __proto__ of its own', JSON.parse('{"__proto__":{"polluted":true},"server":{"__proto__":{"port":1}}}'), 2],
    ['a constructor', { constructor: { prototype: { polluted: true } } }, 1],
    ['a prototype with options', { server: Object.create({ port: 1 }) }, 1],
    ['a class instance', { server: new (class Server {})() }, 1],
    ['a list', [], 1],
    ['text', 'server', 1],
  ])('refuses %s', (_, overrides, problems) => {
    expect(lines(() => createConfig(overrides as ConfigOverrides))).toHaveLength(problems);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('is not led in circles', () => {
    const circle: Record<string, unknown> = {};
    circle.server = circle;
    expect(lines(() => createConfig(circle as ConfigOverrides))).toHaveLength(1);
  });
});

describe('the proxies that are trusted', () => {
  it.each([
    ['', []],
    ['127.0.0.1', ['127.0.0.1']],
    ['10.0.0.0/8, 2001:db8::/32,::1', ['10.0.0.0/8', '2001:db8::/32', '::1']],
  ])('are read from %j', (text, trustProxy) => {
    expect(load([`--server.trustProxy=${text}`]).config.server.trustProxy).toEqual(trustProxy);
  });

  it.each(['localhost', '10.0.0.0/33', '*', 'loopback', '10.0.0.1 10.0.0.2', '10.0.0.1,', '::1,::1'])(
    'are not %j',
    (text) => {
      expect(lines(() => load([`--server.trustProxy=${text}`]))).toHaveLength(1);
    },
  );
});

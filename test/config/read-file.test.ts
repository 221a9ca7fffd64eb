import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfigFile } from '../../src/config/read-file.ts';

function read(text: string) {
  const { given, problems } = readConfigFile('c.yaml', () => text);
  return {
    values: Object.fromEntries(given.map(({ option, value }) => [option.name, value])),
    origins: given.map(({ origin }) => origin),
    problems: problems.map((each) => `${each.name}: ${each.message} (${each.origin})`),
    codes: problems.map((each) => each.code),
  };
}

describe('readConfigFile', () => {
  it.each([
    ['server:\n  port: 9000\n', { 'server.port': 9000 }],
    ['server: { port: 0x1F90, host: localhost }', { 'server.port': 8080, 'server.host': 'localhost' }],
    ['{"server":{"port":9000}}', { 'server.port': 9000 }],
    [
      'source:\n  simulator:\n    types:\n      - trade\n      - depth\n',
      { 'source.simulator.types': ['trade', 'depth'] },
    ],
    ['dataflow: { strict: true }', { 'dataflow.strict': true }],
    [
      'heartbeat:\n  intervalMs: &ms 500\n  timeoutMs: *ms\n',
      { 'heartbeat.intervalMs': 500, 'heartbeat.timeoutMs': 500 },
    ],
    ['server:\n  # port: 1\nshards: 2', { shards: 2 }],
    ['', {}],
    ['# nothing but a comment\n', {}],
    ['\uFEFFshards: 2', { shards: 2 }],
  ])('reads %j', (text, values) => {
    expect(read(text)).toMatchObject({ values, problems: [] });
  });

  it('keeps kinds apart, for the schema to judge', () => {
    const { values } = read(
      'server: { port: "9000", host: 1, path: null, backlog: { a: 1 } }\nshards: [1, [2], {a: 1}]',
    );
    expect(values).toEqual({
      'server.port': '9000',
      'server.host': 1,
      'server.path': null,
      'server.backlog': {},
      shards: [1, {}, {}],
    });
  });

  it('says which file a value came from', () => {
    expect(read('shards: 2').origins).toEqual(['file c.yaml']);
  });

  it.each([
    ['server: { prot: 1 }', 'server.prot: there is no such option; did you mean server.port? (file c.yaml)'],
    ['sever: { port: 1 }', 'sever: there is no such option'],
    ['server: { __proto__: { port: 1 } }', 'server.__proto__: there is no such option'],
    ['__proto__: { polluted: true }', '__proto__: there is no such option; --help lists them all (file c.yaml)'],
    ['constructor: { prototype: { polluted: true } }', 'constructor: there is no such option'],
    ['<<: { shards: 2 }', '<<: there is no such option'],
    ['? [a]\n: 1', '"(a key that is no text)": there is no such option'],
    ['1: 1', '1: there is no such option'],
    ['server.port: 9000', 'server.port: in a file this is port below server (file c.yaml)'],
    [
      'source: { simulator.rate: 9 }',
      'source.simulator.rate: in a file this is rate below source.simulator (file c.yaml)',
    ],
    ['heartbeat: 5', 'heartbeat: is a group of options: heartbeat.intervalMs, heartbeat.timeoutMs (file c.yaml)'],
    ['heartbeat: [5]', 'heartbeat: is a group of options'],
    ['- server', 'configuration: holds options by name: server'],
    ['just text', 'configuration: holds options by name: server'],
    ['shards: 1\nshards: 2', 'shards: given more than once (file c.yaml)'],
    ['server: { port: 1 }\nserver: { port: 2 }', 'server: given more than once (file c.yaml)'],
    ['server: { port: 1, port: 2 }', 'server.port: given more than once (file c.yaml)'],
  ])('refuses %j', (text, line) => {
    const { problems, codes } = read(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]!.slice(0, line.length)).toBe(line);
    expect(codes).toEqual(['INVALID_OPTION']);
  });

  it.each([
    ['server: [1', 'c.yaml: is not YAML: bad indent, line 1, column 11 (flag --config)'],
    ['shards: 2\n\tx: 1', 'c.yaml: is not YAML: tab as indent, line 2'],
    ['a: "b', 'c.yaml: is not YAML: missing char, line 1'],
    ['shards: 1\n---\nshards: 2', 'c.yaml: is not YAML: multiple docs, line 2'],
    ['shards: !mine 2', 'c.yaml: is not YAML: tag resolve failed, line 1'],
    ['['.repeat(50_000), 'c.yaml: is not YAML: '],
    ['#'.repeat(300_000), 'c.yaml: has more than 262144 characters (flag --config)'],
  ])('cannot read %.30j', (text, line) => {
    const { problems, codes, values } = read(text);
    expect(problems[0]!.slice(0, line.length)).toBe(line);
    expect(problems.length).toBeLessThan(10);
    expect(new Set(codes)).toEqual(new Set(['CONFIG_FILE_UNREADABLE']));
    expect(values).toEqual({});
  });

  it.each([
    'admin:\n  token: *S3CRET',
    'admin:\n  token: "x" S3CRET',
    'admin:\n  token: S3CRET: S3CRET',
    'admin:\n  token: !S3CRET x',
    'admin:\n  token: [S3CRET',
    'admin:\n\ttoken: S3CRET',
    'admin:\n  tokn: S3CRET',
    'admin: S3CRET',
    'S3CRET',
  ])('quotes nothing of %j', (text) => {
    expect(read(text).problems.join('\n')).not.toContain('S3CRET');
  });

  it('does not unfold aliases of aliases', () => {
    const bomb = Array.from(
      { length: 60 },
      (_, i) => `a${i}: &a${i} [${i === 0 ? 'x' : `${`*a${i - 1},`.repeat(9)} x`}]`,
    );
    const { values } = read(`${bomb.join('\n')}\nsource: { simulator: { types: *a59 } }\n`);
    expect(values['source.simulator.types']).toHaveLength(10);
  });

  it('lets a cycle of aliases be', () => {
    expect(read('server: &s\n  port: *s\nshards: &l [*l]').values).toEqual({ 'server.port': {}, shards: [{}] });
  });

  it('reports a file that is missing, a directory, or not UTF-8', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tickcast-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, 'latin.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
    for (const path of [join(directory, 'none.yaml'), directory, join(directory, 'latin.yaml'), 'nul\0.yaml']) {
      const { problems } = readConfigFile(path);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatchObject({ name: path, code: 'CONFIG_FILE_UNREADABLE', origin: 'flag --config' });
      expect(problems[0]!.message).toMatch(/^cannot be read: \S/);
    }
  });
});

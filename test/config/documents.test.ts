import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { effectiveYaml } from '../../src/config/config-yaml.ts';
import { CROSS_CHECKS } from '../../src/config/cross-checks.ts';
import { createConfig, loadConfig } from '../../src/config/load-config.ts';
import { helpText } from '../../src/config/option-text.ts';
import { OPTIONS } from '../../src/config/options.ts';
import { fileOf, generatedDocuments } from '../../src/config/write-documents.ts';

function textOf(path: string): string {
  return readFileSync(fileOf(path), 'utf8');
}

function configOf(yaml: string) {
  return loadConfig({ argv: ['--config', 'c.yaml'], env: {}, readFile: () => yaml });
}

describe('generated documents', () => {
  it.each([...generatedDocuments()])(
    '%s is up to date; if not: node src/config/write-documents.ts',
    (path, expected) => {
      expect(textOf(path)).toBe(expected);
    },
  );
});

describe('config/default.yaml', () => {
  it('gives every option, each at its default', () => {
    const { config, origins } = configOf(textOf('config/default.yaml'));
    expect(config).toEqual(createConfig());
    expect([...origins.keys()]).toEqual(OPTIONS.map((option) => option.name));
  });
});

describe('config/legacy.yaml', () => {
  it('holds the figures of the server before, and nothing else', () => {
    const { config, origins } = configOf(textOf('config/legacy.yaml'));
    const figures = {
      batch: { mode: 'fixed', maxMessages: 10, maxDelayMs: 1_000 },
      limits: { connections: 1_000, pendingMessages: 100, pendingBytes: 1_048_576 },
      heartbeat: { intervalMs: 30_000, timeoutMs: 60_000 },
      memory: { thresholdMb: 512 },
      log: { performanceIntervalMs: 60_000 },
    } as const;
    expect(config).toEqual(createConfig(figures));
    expect(origins.size).toBe(10);
  });
});

describe('docs/configuration.md', () => {
  const docs = textOf('docs/configuration.md');

  it('has a row for each option, and no other row', () => {
    const rows = [...docs.matchAll(/^\| `([\w.]+)` \| `/gm)].map((match) => match[1]);
    expect(rows).toEqual(OPTIONS.map((option) => option.name));
  });

  it('has a line for each rule between options, and no other', () => {
    const rules = docs.slice(docs.indexOf('<!-- rules -->'), docs.indexOf('<!-- end of rules -->'));
    const pairs = [...rules.matchAll(/^- `([\w.]+)`.*? `([a-z]+\.[\w.]+)`/gm)].map(
      (match) => `${match[1]} ${match[2]}`,
    );
    expect(pairs).toEqual(CROSS_CHECKS.map(({ name, because }) => `${name} ${because}`));
  });

  it('speaks only of options that exist', () => {
    const sections = new Set(OPTIONS.map((option) => option.name.split('.')[0]));
    const names = [...docs.matchAll(/`([a-z]+(?:\.\w+)+)`/g)]
      .map((match) => match[1]!)
      .filter((name) => sections.has(name.split('.')[0]));
    expect(names.length).toBeGreaterThan(OPTIONS.length);
    const known = new Set(OPTIONS.map((option) => option.name));
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('helpText', () => {
  it('names each option with its default, sentence and range', () => {
    const help = helpText().split('\nOptions\n')[1]!;
    for (const option of OPTIONS) {
      const shown = (Array.isArray(option.default) ? option.default.join(',') : String(option.default)) || '""';
      const start = help.indexOf(`\n  --${option.name} `);
      expect(start, option.name).toBeGreaterThanOrEqual(0);
      const [first, second, third] = help.slice(start + 1).split('\n');
      expect(first!.split(/\s+/)[2]).toBe(shown);
      expect(second!.trim()).toBe(option.description);
      expect(third!.trim()).toMatch(/^allowed: /);
      expect(third).toContain(option.allowed);
    }
  });

  it.each(['--config FILE', '--print-config', '--help', '--version'])('names %s', (flag) => {
    expect(helpText()).toContain(`\n  ${flag} `);
  });
});

describe('effectiveYaml', () => {
  it('says behind each value that was given where it came from', () => {
    const loaded = loadConfig({
      argv: ['--config', 'c.yaml', '--shards=2'],
      env: { TICKCAST__SERVER__PORT: '9000' },
      readFile: () => 'server: { path: /feed }',
    });
    const lines = effectiveYaml(loaded).split('\n');
    expect(lines.filter((line) => line.includes(' # '))).toEqual([
      '  port: 9000 # environment TICKCAST__SERVER__PORT',
      '  path: /feed # file c.yaml',
      'shards: 2 # flag --shards',
    ]);
  });

  it('gives the same configuration when it is read again', () => {
    const overrides = {
      server: { host: '::', path: '/true' },
      source: {
        kind: 'ndjson',
        simulator: { exchange: 'no', symbolPrefix: '"\\\'# ü: -', types: ['depth', 'trade'], rate: 0.5 },
      },
      shards: 3,
      log: { file: 'null' },
    } as const;
    const config = createConfig(overrides);
    expect(configOf(effectiveYaml({ config, origins: new Map() })).config).toEqual(config);
  });

  it('says that a token is set, and leaves none behind for who copies the output', () => {
    const yaml = effectiveYaml(loadConfig({ argv: ['--admin.token', 'S3CRET'], env: {} }));
    expect(yaml).not.toContain('S3CRET');
    expect(yaml).toContain('\n  # token: set, hidden; flag --admin.token\n');
    expect(configOf(yaml).config.admin.token).toBe('');
  });

  it('keeps a path with a line break in its comment', () => {
    const loaded = loadConfig({ argv: ['--config', 'a\nshards: 64\n'], env: {}, readFile: () => 'shards: 2' });
    expect(configOf(effectiveYaml(loaded)).config.shards).toBe(2);
  });
});

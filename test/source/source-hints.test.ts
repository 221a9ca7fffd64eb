import { describe, expect, it } from 'vitest';
import { createConfig } from '../../src/config/load-config.ts';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import { sourceHints } from '../../src/source/source-hints.ts';

const said = (source: ConfigOverrides['source'], nodeEnv?: string) =>
  sourceHints(createConfig({ source }), nodeEnv).map(({ message, fields }) => [message.split(':')[0], fields]);

describe('what is said of the source at the start', () => {
  it('is nothing for a simulator that is tried out, nor for another source in production', () => {
    expect(said({})).toEqual([]);
    expect(said({ kind: 'ndjson', ndjson: { connect: '127.0.0.1:9999' } }, 'production')).toEqual([]);
    expect(said({ kind: 'simulator', simulator: { rate: 5 } }, 'development')).toEqual([]);
  });

  it('is that a simulator serves in production', () => {
    const fields = { 'source.kind': 'simulator', NODE_ENV: 'production' };
    expect(said({}, 'production')).toEqual([['The source is the simulator', fields]]);
  });

  it('is which options are of a source of another kind', () => {
    const options = ['source.simulator.types', 'source.ndjson.connect'];
    expect(said({ kind: 'none', simulator: { types: ['trade'] }, ndjson: { connect: '127.0.0.1:9999' } })).toEqual([
      ['Source options have no effect', { options, 'source.kind': 'none' }],
    ]);
  });
});

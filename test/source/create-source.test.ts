import { describe, expect, it } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { createSource } from '../../src/source/create-source.ts';
import { collectingLogger } from '../support/collected-lines.ts';

/** A configuration of nothing but defaults: each section is parsed from an empty object, since it has no default. */
function configOf(kind: 'simulator' | 'recording' | 'ndjson' | 'none') {
  const { source } = configSchema.shape;
  const { simulator, recording, ndjson } = source.shape;
  const sections = { simulator: simulator.parse({}), recording: recording.parse({}), ndjson: ndjson.parse({}) };
  return { source: { ...source.parse({ ...sections, kind }) } } as never;
}

describe('createSource', () => {
  it.each(['simulator', 'recording', 'ndjson'] as const)('makes the source of kind %s, not started', (kind) => {
    const source = createSource(configOf(kind), collectingLogger());
    expect(source?.name).toBe(kind);
    expect(source?.getState()).toEqual({
      name: kind,
      status: 'idle',
      published: 0,
      bytesRead: 0,
      rejected: 0,
      lastPublicationMs: 0,
    });
  });

  it('makes none for none', () => {
    expect(createSource(configOf('none'), collectingLogger())).toBeUndefined();
  });
});

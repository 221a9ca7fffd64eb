import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { nodeTooOld } from '../../src/util/node-version.ts';

it.each(['22.18.0', '22.21.1', '23.0.0', '24.21.0', '100.1.0', '24.0.0-nightly2025'])(
  'runs on Node.js %s',
  (version) => {
    expect(nodeTooOld(version)).toBeUndefined();
  },
);

it.each(['0.10.48', '18.20.4', '20.19.5', '22.0.0', '22.9.0', '22.17.1', ''])(
  'refuses Node.js %j and says what to do',
  (version) => {
    const text = nodeTooOld(version);
    expect(text).toContain(`needs Node.js 22.18 or newer, and this is ${version}.`);
    expect(text).toContain('`npm start`');
  },
);

it('agrees with package.json', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(manifest.engines.node).toBe('>=22.18');
});

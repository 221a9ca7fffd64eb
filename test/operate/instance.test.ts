import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/config/version.ts';
import { nodeTooOld } from '../../src/util/node-version.ts';
import { TestProcess } from '../support/child-process.ts';

const INSTANCE = new URL('../../src/operate/instance.js', import.meta.url);
const PRETEND = fileURLToPath(new URL('../support/as-node-version.fixture.ts', import.meta.url));

describe('what pm2 runs', () => {
  it.each(['18.0.0', '20.20.2', '22.17.1'])('says of Node.js %s what src/main.ts says, and ends', async (version) => {
    const env = { NODE_OPTIONS: `--import ${PRETEND}`, PRETENDED_NODE: version };
    const { status, stdout, stderr } = await new TestProcess(INSTANCE, ['--version'], env).ended;
    expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: '', stderr: `${nodeTooOld(version)}\n` });
  });

  it.each(['22.18.0', '24.0.0'])('is src/main.ts on Node.js %s, with its arguments', async (version) => {
    expect(nodeTooOld(version)).toBeUndefined();
    const env = { NODE_OPTIONS: `--import ${PRETEND}`, PRETENDED_NODE: version };
    const { status, stdout, stderr } = await new TestProcess(INSTANCE, ['--version'], env).ended;
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: '' });
  });
});

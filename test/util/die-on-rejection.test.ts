import { expect, it } from 'vitest';
import { TestProcess } from '../support/child-process.ts';

const FIXTURE = new URL('../support/die-on-rejection.fixture.ts', import.meta.url);

it.each([
  ['rejects', 'Error: no way\n    at '],
  ['throws', 'Error: no way\n    at '],
  ['rejects with text', 'no way\n'],
  ['rejects with nothing', 'undefined\n'],
  ['cannot import', 'Cannot find module'],
])('a program that %s ends with status 1 and says why', async (how, reason) => {
  const { status, stderr } = await new TestProcess(FIXTURE, [how]).ended;
  expect(stderr).toMatch(/^tickcast: unexpected error, stopping\n/);
  expect(stderr).toContain(reason);
  expect(status).toBe(1);
});

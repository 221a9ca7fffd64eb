import { describe, expect, it } from 'vitest';
import { TestProcess } from '../support/child-process.ts';

const FIXTURE = new URL('../support/stop-on-signals.fixture.ts', import.meta.url);

async function ready(how: string, timeoutMs = 60_000, ...echoMs: number[]) {
  const child = new TestProcess(FIXTURE, [how, timeoutMs, ...echoMs].map(String));
  await child.said('ready false\n');
  return child;
}

describe('stopOnSignals', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('stops the target on %s and exits 0', async (signal) => {
    const child = await ready('succeeds');
    child.kill(signal);
    expect(await child.ended).toEqual({
      status: 0,
      signal: null,
      stdout: `ready false\nasked true by ${signal}\nstopped\n`,
      stderr: '',
    });
  });

  it.each([
    ['SIGINT', 'SIGINT', 130],
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGINT', 'SIGTERM', 143],
    ['SIGTERM', 'SIGINT', 130],
  ] as const)('ends at once when %s is followed by %s', async (first, second, status) => {
    const child = await ready('hangs');
    child.kill(first);
    await child.said('stopping');
    child.kill(second);
    expect(await child.ended).toMatchObject({ status, stdout: `ready false\nasked true by ${first}\nstopping\n` });
  });

  it.each(['rejects', 'throws'])('exits 1 with the reason when the stop %s', async (how) => {
    const child = await ready(how);
    child.kill('SIGTERM');
    expect(await child.ended).toMatchObject({ status: 1, stderr: 'the drain failed: no way\n' });
  });

  it('exits 1 when the stop takes a second longer than it may', async () => {
    const child = await ready('hangs', 1);
    child.kill('SIGTERM');
    expect(await child.ended).toMatchObject({
      status: 1,
      stderr: 'the drain took longer than shutdown.timeoutMs, 1 ms\n',
    });
  });

  it('does not take the echo of a signal for a second one, but any other signal', async () => {
    const child = await ready('hangs', 60_000, 60_000);
    child.kill('SIGINT');
    await child.said('stopping');
    child.kill('SIGINT');
    child.kill('SIGTERM');
    // 130 would mean that the echo had ended it: of two signals that wait, the one with the lower number comes first.
    expect(await child.ended).toMatchObject({ status: 143, stdout: 'ready false\nasked true by SIGINT\nstopping\n' });
  });
});

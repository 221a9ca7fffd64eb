import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../../perf/lib/free-port.ts';
import { askHttp } from '../support/admin-api.ts';
import { TestProcess } from '../support/child-process.ts';
import { PATIENT, stats } from '../support/shard-figures.ts';
import { TestClient } from '../support/test-client.ts';

const MAIN = new URL('../../src/main.ts', import.meta.url);
const WEDGE = new URL('../support/wedge-on-signal.fixture.ts', import.meta.url);

interface Watched {
  child: TestProcess;
  port: number;
}

/** A gateway as an operator runs it, whose primary hangs at SIGUSR2. */
async function startWatched(...argv: string[]): Promise<Watched> {
  const port = await freePort();
  const quiet = ['--server.host', '127.0.0.1', '--source.kind', 'none', '--ring.bytes', '4194304', '--shards', '2'];
  const child = new TestProcess(MAIN, [...quiet, '--server.port', String(port), ...argv], {
    NODE_OPTIONS: `--import=${WEDGE.href}`,
  });
  await vi.waitFor(async () => expect((await askHttp(port, '/api/websocket/health')).status).toBe(200), PATIENT);
  return { child, port };
}

function lastLine(text: string): Record<string, unknown> {
  return JSON.parse(text.trimEnd().split('\n').at(-1)!) as Record<string, unknown>;
}

const HUNG = {
  level: 'FATAL',
  time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
  pid: expect.any(Number),
  shard: expect.any(Number),
  silentMs: expect.any(Number),
  stack: expect.arrayContaining([expect.stringMatching(/^wedgeOnSignal \(file:.*fixture\.ts:\d+:\d+\)$/)]),
  msg: 'WebSocket primary hung',
};

describe('a primary whose event loop hangs', () => {
  it('fails its health check on every shard, says where it was, and is killed', async () => {
    const { child, port } = await startWatched('--supervisor.primarySilentMs', '3000');
    const client = await TestClient.open(port);
    child.kill('SIGUSR2');
    const ask = () => askHttp(port, '/api/websocket/health');
    // The signal takes a moment. Then the first one waits for the primary in vain; the others are answered at once.
    let answer = await ask();
    while (answer.status === 200) answer = await ask();
    const answers = [answer, ...(await Promise.all(Array.from({ length: 8 }, ask)))];
    for (const { status, text, headers } of answers) {
      expect(status).toBe(503);
      expect(headers['content-type']).toMatch('application/json');
      expect(JSON.parse(text)).toMatchObject({ status: 'unhealthy', error: { code: 'PRIMARY_SILENT' } });
    }
    const other = await askHttp(port, '/api/websocket/stats');
    expect([other.status, Object.keys(JSON.parse(other.text) as object)]).toEqual([503, ['error']]);

    const { signal, stdout } = await child.ended;
    expect(signal).toBe('SIGKILL');
    expect(lastLine(stdout)).toEqual(HUNG);
    expect(stdout.split('WebSocket primary hung')).toHaveLength(2);
    expect((await client.untilClosed()).code).toBe(1006);
  });

  it('has its last line in the log file, where there is one', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tickcast-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'log');
    const { child } = await startWatched('--log.file', file, '--supervisor.primarySilentMs', '600');
    child.kill('SIGUSR2');
    expect(await child.ended).toMatchObject({ signal: 'SIGKILL', stdout: '', stderr: '' });
    expect(lastLine(readFileSync(file, 'utf8'))).toEqual(HUNG);
  });
});

describe('a process that is stopped for longer than the limits', () => {
  it('goes on as if nothing had been', async () => {
    const { child, port } = await startWatched(
      '--supervisor.primarySilentMs',
      '800',
      '--supervisor.shardSilentMs',
      '800',
    );
    const client = await TestClient.open(port);
    child.kill('SIGSTOP');
    await sleep(2_000);
    child.kill('SIGCONT');
    await client.settle();
    // For as long as a silence that had begun before would have to go on.
    await sleep(1_000);
    const { shards } = await stats(port);
    expect(shards).toMatchObject(Array.from({ length: 2 }, () => ({ status: 'running', restarts: 0, hangs: 0 })));
    child.kill('SIGTERM');
    const { status, stdout } = await child.ended;
    expect(status).toBe(0);
    expect(stdout).not.toMatch(/"level":"(?:WARN|ERROR|FATAL)"/);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../perf/lib/free-port.ts';
import { Pm2Cluster } from '../support/pm2-cluster.ts';

const PATIENT = { timeout: 30_000, interval: 100 };

describe('npm run cluster:…', () => {
  it('keeps what runs: its configuration, and its peace where something is wrong; and stops it for good', async () => {
    const port = await freePort();
    const cluster = Pm2Cluster.empty();
    const file = join(cluster.home, 'tickcast.yaml');
    const write = (text: string) => writeFileSync(file, `server: {port: ${port}, host: 127.0.0.1}\n${text}\n`);
    const serves = async () => (await fetch(`http://127.0.0.1:${port}/health`)).status;
    write('shards: 1\nsource: {kind: none}\nshutdown: {timeoutMs: 4000, drainMs: 100}');

    expect((await cluster.script('start', { TICKCAST_CONFIG: file })).status).toBe(0);
    const [started] = await cluster.instances();
    const second = await cluster.script('start', { TICKCAST_CONFIG: file });
    expect(second).toMatchObject({ status: 1, stderr: expect.stringContaining('is there already') });

    // One restart in all: the second start was none. Not the simulator on port 8080, which is what nothing at all comes to.
    const reloaded = await cluster.script('reload', { TICKCAST_MEMORY: '1G', TICKCAST_HOME: '/elsewhere' });
    expect(reloaded).toMatchObject({ status: 0, stderr: expect.stringContaining('but for TICKCAST_MEMORY=1G\n') });
    expect(reloaded.stderr).toContain('TICKCAST_HOME stays');
    const [kept] = await cluster.instances();
    expect(kept).toMatchObject({ status: 'online', restarts: 1 });
    expect(kept!.pid).not.toBe(started!.pid);
    expect(await serves()).toBe(200);

    write('shards: many');
    const refused = await cluster.script('reload');
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringMatching(/shards: .*nothing was changed/s) });
    expect(await cluster.instances()).toEqual([kept]);
    expect(await serves()).toBe(200);

    process.kill(kept!.pid, 'SIGKILL');
    await expect.poll(async () => (await cluster.instances())[0]!.restarts, PATIENT).toBeGreaterThan(1);
    expect((await cluster.script('stop')).status).toBe(0);
    expect(await cluster.instances()).toEqual([]);
    const nothing = await cluster.script('reload');
    expect(nothing).toMatchObject({ status: 1, stderr: expect.stringContaining('does not run') });
  }, 120_000);
});

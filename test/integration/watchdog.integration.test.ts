import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { askHttp, readAdmin } from '../support/admin-api.ts';
import { RawClient } from '../support/raw-client.ts';
import { FAILING_SHARD, type FailureOrder, failShard } from '../support/shard-failures.ts';
import { clientsOnEach, PATIENT, shardFailures, stats, untilBack } from '../support/shard-figures.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway, trade } from '../support/test-gateway.ts';
import { LoggedPublisher } from '../support/told-truth.ts';

/** Short, but long enough for a busy machine to give each thread its turn. */
const WATCHED = { shards: 2, supervisor: { shardSilentMs: 600, restartDelayMs: 20 } } as const;

const HUNG = 'WebSocket shard hung';

describe('a shard whose event loop hangs', () => {
  it('is reported with the function it is in, ended, and back, however many hang and whatever they hang in', async () => {
    const started = await startGateway(
      { shards: 4, supervisor: { shardSilentMs: 1_000, restartDelayMs: 20 } },
      { shardFile: FAILING_SHARD },
    );
    const { port, lines, publish } = started;
    const byShard = await clientsOnEach(port, 4, 1);
    const kept = byShard[3]!;
    const names = ['spinOnOrder', 'waitOnOrder', 'matchOnOrder'];
    for (const [shard, kind] of (['spin', 'wait', 'match'] as const).entries()) failShard({ shard, kind });
    for (const client of byShard.slice(0, 3).flat()) expect((await client.untilClosed()).code).toBe(1006);
    publish(trade('KEPT', 1));
    for (const client of kept) await client.until(() => client.data.length === 1, 'data beside those that hang');
    await expect
      .poll(async () => (await stats(port)).shards.map(({ status }) => status), PATIENT)
      .not.toContain('restarting');

    const { shards } = await stats(port);
    for (const [shard, name] of names.entries()) {
      const place = `${name} \\(file:.*failing-shard\\.fixture\\.ts:\\d+:\\d+\\)$`;
      const told = lines.filter(({ message, fields }) => message === HUNG && fields.shard === shard);
      expect(told).toMatchObject([{ level: 'error', fields: { phase: 'idle', silentMs: 1_000 } }]);
      expect(told[0]!.fields.stack).toEqual(expect.arrayContaining([expect.stringMatching(`^${place}`)]));
      expect(shards[shard]).toMatchObject({
        hangs: 1,
        restarts: 1,
        lastError: { message: expect.stringMatching(place) },
      });
    }
    expect(shards[3]).toMatchObject({ hangs: 0, restarts: 0 });
    expect(shardFailures(lines)).toHaveLength(3);
    expect((await askHttp(port, '/api/websocket/metrics')).text).toMatch(
      /^tickcast_shard_hangs_total\{process="0",shard="2"\} 1$/m,
    );
    await clientsOnEach(port, 4, 1);
    for (const client of kept) expect(client.closed).toBeUndefined();
  });

  it('loses nothing for those who resume, and leaves nobody in its accept queue', async () => {
    const started = await startGateway(WATCHED, { shardFile: FAILING_SHARD });
    const { port } = started;
    const source = new LoggedPublisher(started.publish);
    const [lost, kept] = (await clientsOnEach(port, 2, 1)) as [TestClient[], TestClient[]];
    source.publish('trade', 'A');
    const client = lost[0]!;
    await client.until(() => client.data.length === 1, 'the first value');
    failShard({ shard: 0, kind: 'spin' });
    for (let n = 0; n < 20; n++) source.publish('trade', 'A');
    const waiting = await Promise.all(Array.from({ length: 12 }, () => RawClient.connected(port)));

    await client.untilClosed();
    await untilBack(started, 1);
    const again = await TestClient.open(port, '/ws?subscription=none');
    const resume = { epoch: client.received[0]!.payload.epoch, seq: client.data.at(-1)!.seq };
    await again.ask({ type: 'subscribe', payload: { resume } });
    source.publish('trade', 'A');
    for (const each of [again, kept[0]!])
      await each.until(() => each.data.at(-1)?.seq === source.seq, 'everything published');
    expect(source.problemsOf(client, again)).toEqual([]);
    expect(source.problemsOf(kept[0]!)).toEqual([]);
    // Those that the kernel had given to the hung listener went with it; the others are served.
    for (const each of waiting) each.socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n');
    for (const each of waiting) {
      await expect.poll(() => each.ended || each.text.startsWith('HTTP/1.1 404'), PATIENT).toBe(true);
      each.socket.destroy();
    }
    expect(waiting.some(({ text }) => text === '')).toBe(true);
  });

  it('is reported with the connection whose command it has not come back from', async () => {
    const started = await startGateway({ ...WATCHED, shards: 1 }, { shardFile: FAILING_SHARD });
    await TestClient.open(started.port);
    const client = await TestClient.open(started.port);
    failShard({ shard: 0, kind: 'spinIn', phase: 'command' });
    // One of these finds the shard with the order carried out.
    const asking = setInterval(() => client.send({ type: 'ping' }), 50);
    onTestFinished(() => clearInterval(asking));
    await client.untilClosed();
    const hung = await vi.waitFor(() => {
      const line = started.lines.find(({ message }) => message === HUNG);
      expect(line).toBeDefined();
      return line!;
    }, PATIENT);
    const serial = Number(String(client.received[0]!.payload.connectionId).split('_').at(-1));
    expect(hung.fields).toMatchObject({ phase: 'command', connection: serial });
    expect((hung.fields.stack as string[]).join('\n')).toContain('commands.ts');
  });

  it('in native code, where it cannot be ended, is not run again before it has', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'tickcast-')), 'pipe');
    onTestFinished(() => rmSync(dirname(path), { recursive: true }));
    execFileSync('mkfifo', [path]);
    const started = await startGateway(WATCHED, { shardFile: FAILING_SHARD });
    const [, kept] = (await clientsOnEach(started.port, 2, 1)) as [TestClient[], TestClient[]];
    failShard({ shard: 0, kind: 'open', path });
    const stuck = { level: 'error', fields: { shard: 0 }, message: 'WebSocket shard thread failed to end' };
    await vi.waitFor(() => expect(started.lines).toContainEqual(stuck), PATIENT);
    expect(started.lines).toContainEqual(
      expect.objectContaining({ message: HUNG, fields: { shard: 0, silentMs: 600, phase: 'idle', stack: [] } }),
    );
    expect(shardFailures(started.lines)).toEqual([]);
    started.publish(trade('KEPT', 1));
    await kept[0]!.until(() => kept[0]!.data.length === 1, 'data beside the stuck shard');
    closeSync(openSync(path, 'w'));
    await untilBack(started, 1);
  });

  it('is left alone when it turns again in time', async () => {
    const { port, lines } = await startGateway(
      { shards: 1, supervisor: { shardSilentMs: 3_000 } },
      { shardFile: FAILING_SHARD },
    );
    const client = await TestClient.open(port);
    failShard({ shard: 0, kind: 'block', blockMs: 1_000 });
    await client.settle();
    expect((await stats(port)).shards).toMatchObject([{ status: 'running', restarts: 0 }]);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('is cut at the deadline of a stop', async () => {
    const started = await startGateway(
      { shards: 1, supervisor: { shardSilentMs: 0 }, shutdown: { timeoutMs: 300 } },
      { shardFile: FAILING_SHARD },
    );
    const client = await TestClient.open(started.port);
    failShard({ shard: 0, kind: 'spin' });
    await started.gateway.stop();
    expect((await client.untilClosed()).code).toBe(1006);
    expect(started.lines).toContainEqual(
      expect.objectContaining({ level: 'error', message: 'WebSocket shard drain failed: its thread is ended' }),
    );
  });
});

describe('a shard that fails again and again', () => {
  const LOOPING = {
    shards: 2,
    supervisor: { shardSilentMs: 600, restartDelayMs: 10, crashLoopCount: 3, crashLoopWindowMs: 1_500 },
  } as const;

  it('is in a crash loop, which is unhealthy, until it has stayed up for a while', async () => {
    const started = await startGateway(LOOPING, { shardFile: FAILING_SHARD });
    const { port, lines } = started;
    const kinds: FailureOrder['kind'][] = ['throw', 'spin', 'throw'];
    for (const [n, kind] of kinds.entries()) {
      expect((await readAdmin<{ status: string }>(port, 'health')).status).not.toBe('unhealthy');
      failShard({ shard: 1, kind });
      await untilBack(started, n + 1);
    }
    const answer = await askHttp(port, '/api/websocket/health');
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.text)).toMatchObject({
      status: 'unhealthy',
      reasons: [{ check: 'crashLoop', value: 1, threshold: 0, level: 'unhealthy' }],
    });
    expect((await stats(port)).shards).toMatchObject([{ crashLooping: false }, { crashLooping: true, hangs: 1 }]);
    expect((await askHttp(port, '/api/websocket/metrics')).text).toMatch(
      /^tickcast_shard_crash_looping\{process="0",shard="1"\} 1$/m,
    );

    await expect.poll(() => readAdmin(port, 'health'), PATIENT).toMatchObject({ status: 'healthy', reasons: [] });
    const told = lines.filter(({ message }) => message.includes('crash loop'));
    expect(told).toMatchObject([
      { level: 'error', fields: { shard: 1, crashes: 3 } },
      { level: 'info', fields: { shard: 1 }, message: 'WebSocket shard crash loop over' },
    ]);
  });

  it('shows when it is run again, and why it failed', async () => {
    const options = { shards: 2, supervisor: { restartDelayMs: 2_000 } };
    const { port } = await startGateway(options, { shardFile: FAILING_SHARD });
    failShard({ shard: 1, kind: 'throw' });
    const shard = await vi.waitFor(async () => {
      const row = (await stats(port)).shards[1]!;
      expect(row.status).toBe('restarting');
      return row;
    }, PATIENT);
    expect(shard.lastError!.message).toBe('thrown on order');
    expect(shard.restartAt! - shard.lastError!.timestamp).toBeGreaterThanOrEqual(2_000);
  });
});

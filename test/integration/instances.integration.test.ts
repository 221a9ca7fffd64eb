import { chmodSync, lchownSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../perf/lib/free-port.ts';
import { askHttp, readAdmin } from '../support/admin-api.ts';
import { TestProcess } from '../support/child-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { listenAt, socketPath, temporaryDirectory } from '../support/run-directory.ts';

const MAIN = new URL('../../src/main.ts', import.meta.url);
const PATIENT = { timeout: 20_000, interval: 50 };
const isRoot = process.getuid?.() === 0;

interface Instance {
  child: TestProcess;
  /** Of its own: on the shared port the kernel chooses who answers. */
  adminPort: number;
}

interface Row {
  process: number;
  pid: number;
  state: string;
  [key: string]: unknown;
}

interface Answer {
  status: string;
  instances: Row[];
  silentInstances: number[];
  reasons: { check: string }[];
  messagesForwarded: number;
  activeConnections: number;
  shards: { process: number; connections: number }[];
  ring: { publications: number };
  connections: { process: number }[];
  total: number;
  flushed: number;
}

async function start(index: number, port: number, runDir: string): Promise<Instance> {
  const adminPort = await freePort();
  const argv = Object.entries({
    'server.port': port,
    'server.host': '127.0.0.1',
    'server.sharePort': true,
    'cluster.runDir': runDir,
    'cluster.answerTimeoutMs': 1_500,
    // Each has its own, counted from this one.
    'admin.port': adminPort - index,
    shards: 1,
    'ring.bytes': 4 * 1024 * 1024,
    'source.simulator.rate': 100,
    'shutdown.timeoutMs': 1_000,
  }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = new TestProcess(MAIN, argv, { NODE_APP_INSTANCE: String(index) });
  await child.said('WebSocket gateway started');
  return { child, adminPort };
}

const read = ({ adminPort }: Instance, name: string) => readAdmin<Answer>(adminPort, name);

const statesOf = async (instance: Instance) =>
  (await read(instance, 'status')).instances.map(({ process, state }) => `${process} ${state}`);

describe('three instances on one port', () => {
  it('answer as one, also while one of them stands still, has died, or drains', async () => {
    const [port, runDir] = [await freePort(), temporaryDirectory()];
    const instances = await Promise.all([0, 1, 2].map((index) => start(index, port, runDir)));
    const [first, second, third] = instances as [Instance, Instance, Instance];
    const ALL = ['0 answered', '1 answered', '2 answered'];
    for (const each of instances) expect(await statesOf(each)).toEqual(ALL);

    await connectToEach(first, port);
    await tellTheSameEverywhere(instances);
    await tellOneSetOfMetrics(instances);
    if (isRoot) await ignoreForeignSocket(first, port, runDir);

    second.child.kill('SIGSTOP');
    await showTheSilence(first);
    second.child.kill('SIGCONT');
    await expect.poll(() => statesOf(first), PATIENT).toEqual(ALL);

    second.child.kill('SIGKILL');
    await second.child.ended;
    await expect.poll(() => statesOf(first), PATIENT).toEqual(['0 answered', '2 answered']);
    expect(readdirSync(runDir).filter((file) => file.startsWith(`${port}.1.`))).toEqual([]);

    third.child.kill('SIGTERM');
    await expect
      .poll(async () => (await read(first, 'status')).instances, PATIENT)
      .toMatchObject([{ status: 'available' }, { process: 2, state: 'answered', status: 'unavailable' }]);
    expect((await third.child.ended).status).toBe(0);
    expect(await statesOf(first)).toEqual(['0 answered']);
    first.child.kill('SIGTERM');
    expect((await first.child.ended).status).toBe(0);
    expect(readdirSync(runDir).filter((file) => file.startsWith(`${port}.`) && !file.includes('.999.'))).toEqual([]);
  });

  /** Clients that do not take part in a close, so that a drain takes its time. */
  async function connectToEach(asked: Instance, port: number): Promise<void> {
    await expect
      .poll(async () => {
        await Promise.all([1, 2].map(() => RawClient.upgraded(port, '/ws')));
        const { connections } = await read(asked, 'connections');
        return new Set(connections.map(({ process }) => process)).size;
      }, PATIENT)
      .toBe(3);
  }

  async function tellTheSameEverywhere(instances: readonly Instance[]): Promise<void> {
    const each = async () => Promise.all(instances.map((instance) => read(instance, 'stats?scope=instance')));
    const sum = (answers: readonly Answer[], figure: (answer: Answer) => number) =>
      answers.reduce((total, answer) => total + figure(answer), 0);
    const FIGURES = [({ messagesForwarded }: Answer) => messagesForwarded, ({ ring }: Answer) => ring.publications];
    for (const asked of instances) {
      const [before, together, after] = [await each(), await read(asked, 'stats'), await each()];
      for (const figure of FIGURES) {
        expect(figure(together)).toBeGreaterThanOrEqual(sum(before, figure));
        expect(figure(together)).toBeLessThanOrEqual(sum(after, figure));
      }
      expect(together.activeConnections).toBe(sum(before, ({ activeConnections }) => activeConnections));
      expect(together.shards.map(({ process }) => process).sort()).toEqual([0, 1, 2]);
      const { connections, total } = await read(asked, 'connections?limit=2&sort=messagesSent');
      expect({ rows: connections.length, total }).toEqual({ rows: 2, total: together.activeConnections });
      const flush = JSON.parse(
        (await askHttp(asked.adminPort, '/api/websocket/flush', { method: 'POST' })).text,
      ) as Answer;
      expect(flush.instances.map(({ flushed }) => typeof flushed)).toEqual(['number', 'number', 'number']);
    }
  }

  async function tellOneSetOfMetrics([asked, ...others]: readonly Instance[]): Promise<void> {
    const before = await Promise.all([asked!, ...others].map((each) => forwarded(each, '?scope=instance')));
    const text = (await askHttp(asked!.adminPort, '/api/websocket/metrics')).text;
    expect(samplesIn(text).get('tickcast_shard_up{process="2",shard="0"}')).toBe(1);
    expect(samplesIn(text).get('tickcast_instances{state="answered"}')).toBe(3);
    expect(await forwarded(asked!, '')).toBeGreaterThanOrEqual(before.reduce((sum, each) => sum + each, 0));
  }

  async function forwarded({ adminPort }: Instance, query: string): Promise<number> {
    const samples = samplesIn((await askHttp(adminPort, `/api/websocket/metrics${query}`)).text);
    const own = [...samples].filter(([name]) => name.startsWith('tickcast_messages_forwarded_total{'));
    return own.reduce((sum, [, value]) => sum + value, 0);
  }

  async function showTheSilence(asked: Instance): Promise<void> {
    const [states, health, stats, metrics, own] = await Promise.all([
      statesOf(asked),
      read(asked, 'health'),
      read(asked, 'stats'),
      askHttp(asked.adminPort, '/api/websocket/metrics'),
      read(asked, 'stats?scope=instance'),
    ]);
    expect(states).toEqual(['0 answered', '1 silent', '2 answered']);
    expect(health).toMatchObject({ status: 'degraded', silentInstances: [1] });
    expect(health.reasons).toContainEqual({ check: 'instances', value: 1, threshold: 0, level: 'degraded' });
    expect(stats.instances[1]).toMatchObject({ process: 1, state: 'silent', reason: 'timeout' });
    expect(samplesIn(metrics.text).get('tickcast_instances{state="silent"}')).toBe(1);
    expect(metrics.text).not.toContain('process="1"');
    expect(own).toMatchObject({ instances: [{ process: 0 }], silentInstances: [] });
  }

  async function ignoreForeignSocket(asked: Instance, port: number, runDir: string): Promise<void> {
    const path = socketPath(runDir, { port });
    await listenAt(path);
    lchownSync(path, 4711, 4711);
    const before = await statesOf(asked);
    expect(await statesOf(asked)).toEqual(before);
    expect(before).toHaveLength(3);
    await asked.child.said('a file that is no instance of ours is ignored');
    expect(asked.child.output.split(path)).toHaveLength(2);
  }
});

describe('a run directory that cannot be trusted', () => {
  it.each(['open to all', 'a link'])('ends the start with status 1 and says what is needed: %s', async (what) => {
    const runDir = join(temporaryDirectory(), 'run');
    if (what === 'a link') symlinkSync(temporaryDirectory(), runDir);
    else mkdirSync(runDir);
    if (what === 'open to all') chmodSync(runDir, 0o777);
    const argv = ['--server.port', '0', '--server.sharePort', '--cluster.runDir', runDir, '--shards', '1'];
    const { status, stderr } = await new TestProcess(MAIN, argv).ended;
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining(`Instances cannot find each other in ${runDir}: `),
    });
  });
});

/** Samples by name and labels; fails on what is no Prometheus text, or told twice. */
function samplesIn(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  const names = new Set<string>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const comment = /^# (HELP|TYPE) (\S+) ./.exec(line);
    const sample = /^([a-z_][a-z0-9_]*(?:\{[^{}]*\})?) (-?[\d.e+-]+|\+Inf)$/i.exec(line);
    expect([line, comment ?? sample]).not.toEqual([line, null]);
    const told = comment === null ? sample![1]! : `${comment[1]} ${comment[2]}`;
    expect([told, names.has(told)]).toEqual([told, false]);
    names.add(told);
    if (sample !== null) samples.set(told, Number(sample[2]));
  }
  return samples;
}

import { describe, expect, it, onTestFinished } from 'vitest';
import { createConfig } from '../../src/config/load-config.ts';
import type { ConfigOverrides } from '../../src/config/schema.ts';
import { Supervisor } from '../../src/control/supervisor.ts';
import { allocateRing } from '../../src/ring/layout.ts';
import { allocateSequenceIndex } from '../../src/ring/sequence-index.ts';
import { allocateTopicDirectory } from '../../src/ring/topic-directory.ts';
import { WakeUpSender } from '../../src/ring/wake-up.ts';
import { HealthFlag } from '../../src/telemetry/health-flag.ts';
import { collectGarbage } from '../../src/util/collect-garbage.ts';
import { askHttp, readAdmin } from '../support/admin-api.ts';
import { type CollectedLine, collectingLogger } from '../support/collected-lines.ts';
import { RawClient, UPGRADE_HEADERS } from '../support/raw-client.ts';
import { FAILING_SHARD, failShard } from '../support/shard-failures.ts';
import { TestClient } from '../support/test-client.ts';
import { startGateway, trade } from '../support/test-gateway.ts';

const MIB = 1024 * 1024;
const PATIENT = { timeout: 15_000, interval: 20 };
/** Far below what any process of Node's holds. */
const ALWAYS_OVER = { thresholdMb: 1, checkIntervalMs: 50 };
const REFUSED = /^HTTP\/1\.1 503 Service Unavailable\r\nRetry-After: 5\r\n/;

interface Health {
  status: string;
  reasons: { check: string; value: number; level: string }[];
}

async function metric(port: number, name: string): Promise<number | undefined> {
  const { text } = await askHttp(port, '/api/websocket/metrics');
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

/** Resolves when the gateway has come to this stage. */
async function untilStage(port: number, stage: number): Promise<void> {
  await expect.poll(() => metric(port, 'tickcast_memory_pressure_stage'), PATIENT).toBe(stage);
}

/** The answer to a handshake, whole. */
async function handshake(port: number): Promise<string> {
  const client = await RawClient.connected(port, `GET /ws?subscription=none HTTP/1.1\r\n${UPGRADE_HEADERS}`);
  await client.until(() => client.text.includes('\r\n\r\n'), 'an answer to the handshake');
  client.destroy();
  return client.text;
}

function stepsIn(lines: readonly CollectedLine[]): string[] {
  const told = lines.filter(
    ({ level, message, fields }) =>
      level === 'warn' && message.startsWith('WebSocket memory pressure: ') && 'stage' in fields,
  );
  return told.map(({ message, fields }) => `${fields.stage} ${message.slice('WebSocket memory pressure: '.length)}`);
}

describe('a gateway over its memory threshold', () => {
  it('takes its steps in order, tells them, and refuses handshakes at last', async () => {
    const { port, lines } = await startGateway({ shards: 2, memory: ALWAYS_OVER });
    await untilStage(port, 4);
    expect(stepsIn(lines).slice(0, 4)).toEqual([
      '1 batches written out, spare memory given back',
      '2 less may wait for slow connections',
      '3 the slowest connections are closed',
      '4 new connections are refused',
    ]);
    for (const step of ['trim', 'conflate', 'refuse']) {
      expect(await metric(port, `tickcast_memory_pressure_steps_total{step="${step}"}`)).toBe(1);
    }
    expect(await metric(port, 'tickcast_memory_pressure_steps_total{step="shed"}')).toBeGreaterThanOrEqual(1);
    const health = await readAdmin<Health>(port, 'health');
    expect(health.status).toBe('unhealthy');
    expect(health.reasons).toContainEqual(
      expect.objectContaining({ check: 'memoryPressure', value: 4, threshold: 3, level: 'unhealthy' }),
    );

    // Each answer comes from whichever shard the kernel has chosen.
    for (let n = 0; n < 8; n++) await expect.poll(() => handshake(port), PATIENT).toMatch(REFUSED);
    expect(await metric(port, 'tickcast_handshakes_refused_for_memory_total')).toBeGreaterThanOrEqual(8);
    expect(await metric(port, 'tickcast_connections_refused_total')).toBe(0);
  });

  it('goes on serving who is there, and lets everybody in again when the memory has been given back', async () => {
    const heldMb = Math.ceil(process.memoryUsage.rss() / MIB);
    const { port, lines, publish } = await startGateway({ memory: { thresholdMb: 2 * heldMb, checkIntervalMs: 50 } });
    const client = await TestClient.open(port);
    expect(await metric(port, 'tickcast_memory_pressure_stage')).toBe(0);

    let ballast = Array.from({ length: 4 }, () => Buffer.alloc((heldMb * MIB) / 2, 1));
    await untilStage(port, 4);
    await expect.poll(() => handshake(port), PATIENT).toMatch(REFUSED);
    for (let n = 0; n < 20; n++) publish(trade('BTC', n));
    await client.until(() => client.data.length === 20, 'data under pressure');
    await client.settle();
    expect([client.closed, ballast.length]).toEqual([undefined, 4]);

    ballast = [];
    collectGarbage();
    await untilStage(port, 0);
    await expect.poll(() => handshake(port), PATIENT).toMatch(/^HTTP\/1\.1 101 /);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'info', message: 'WebSocket memory pressure: over' }),
    );
    const { reasons } = await readAdmin<Health>(port, 'health');
    expect(reasons.map(({ check }) => check)).not.toContain('memoryPressure');
    expect(client.closed).toBeUndefined();
    await client.close();
  });
});

describe('a gateway below its memory threshold', () => {
  it('does nothing', async () => {
    const { port, lines } = await startGateway({ memory: { thresholdMb: 1_048_576, checkIntervalMs: 10 } });
    const client = await TestClient.open(port);
    // Time for some checks; that there were fewer on a slow machine would only make the test weaker.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await metric(port, 'tickcast_memory_pressure_stage')).toBe(0);
    expect(lines.filter(({ message }) => message.includes('memory pressure'))).toEqual([]);
    expect(await handshake(port)).toMatch(/^HTTP\/1\.1 101 /);
    await client.close();
  });
});

describe('a supervisor', () => {
  it('tells a shard that comes up later what is in force, and when it is over', async () => {
    const supervisor = supervisorOf({ shards: 1, server: { port: 0 } });
    onTestFinished(() => supervisor.stop(0));
    const port = await supervisor.start();
    supervisor.relievePressure(4);
    await expect.poll(() => handshake(port), PATIENT).toMatch(REFUSED);

    failShard({ shard: 0, kind: 'throw' });
    await expect.poll(() => supervisor.states(), PATIENT).toMatchObject([{ status: 'running', restarts: 1 }]);
    await expect.poll(() => handshake(port), PATIENT).toMatch(REFUSED);
    supervisor.relievePressure(0);
    await expect.poll(() => handshake(port), PATIENT).toMatch(/^HTTP\/1\.1 101 /);
  });
});

/** A supervisor whose shards have nothing to deliver. */
function supervisorOf(options: ConfigOverrides): Supervisor {
  const config = createConfig(options);
  const ring = allocateRing(MIB);
  const unasked = () => {
    throw new Error('is not asked here');
  };
  return new Supervisor({
    config,
    shards: 1,
    task: {
      config,
      version: '0',
      ring,
      directory: allocateTopicDirectory(16),
      sequenceIndex: allocateSequenceIndex(ring.capacity),
      health: HealthFlag.allocate(),
    },
    numbering: () => ({ epoch: 'e', former: [] }),
    wakeUp: new WakeUpSender(ring),
    log: collectingLogger(),
    ownsProcess: false,
    query: unasked,
    request: unasked,
    shardFile: FAILING_SHARD,
  });
}

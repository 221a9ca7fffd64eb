import { beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionRow } from '../../src/admin/admin-context.ts';
import type { InstanceAnswers } from '../../src/admin/instance-answers.ts';
import { MachineAnswers } from '../../src/admin/machine-answers.ts';
import type { PeerAnswer, Peers, Question } from '../../src/cluster/question.ts';
import { machineOf, peersOf, testAnswers } from '../support/admin-answers.ts';
import { FakeAdminContext, FakeInstruments, sourceState } from '../support/fake-admin-context.ts';

const QUERY = { limit: 3, sort: 'connectedAt' } as const;
const SILENT = { instance: { process: 9, pid: 900 }, silence: 'timeout' } as const;

let contexts: [FakeAdminContext, FakeAdminContext];
let machine: MachineAnswers;

function instance(process: number): FakeAdminContext {
  const context = new FakeAdminContext({ limits: { connections: 100 } });
  return Object.assign(context, { instance: { process, pid: 100 + process } });
}

function open(...silent: Omit<PeerAnswer, 'answer'>[]): void {
  const other = testAnswers(contexts[1]).answers;
  machine = machineOf(contexts[0], peersOf(other, ...silent));
}

beforeEach(() => {
  contexts = [instance(0), instance(1)];
  open();
});

/** Peers that say this, whatever is asked. */
function saying(answer: unknown): Peers {
  return { ask: async () => [{ instance: { process: 5, pid: 500 }, answer }] };
}

describe('health of several instances', () => {
  const levels = (a: number, b: number) => {
    for (const [index, stage] of [a, b].entries()) contexts[index]!.pressureState.stage = stage as 0 | 1 | 4;
  };

  it.each([
    [0, 0, 'healthy'],
    [0, 1, 'degraded'],
    [1, 1, 'degraded'],
    [0, 4, 'degraded'],
    [4, 1, 'degraded'],
    [4, 4, 'unhealthy'],
  ])('with stages of memory pressure %d and %d is %s', async (a, b, status) => {
    levels(a, b);
    expect(await machine.health('machine')).toMatchObject({ status });
  });

  it('says of each reason whose it is, and of each instance how it is', async () => {
    levels(4, 1);
    expect(await machine.health('machine')).toMatchObject({
      reasons: [
        { check: 'memoryPressure', value: 4, level: 'unhealthy', process: 0 },
        { check: 'memoryPressure', value: 1, level: 'degraded', process: 1 },
      ],
      instances: [
        { process: 0, pid: 100, state: 'answered', status: 'unhealthy' },
        { process: 1, pid: 101, state: 'answered', status: 'degraded' },
      ],
    });
    expect(await machine.health('instance')).toMatchObject({ status: 'unhealthy', instances: [{ process: 0 }] });
  });

  it('is degraded while one does not answer, and unhealthy where the others all are', async () => {
    open(SILENT);
    expect(await machine.health('machine')).toMatchObject({
      status: 'degraded',
      reasons: [{ check: 'instances', value: 1, threshold: 0, level: 'degraded' }],
      instances: [{}, {}, { process: 9, pid: 900, state: 'silent', reason: 'timeout' }],
      silentInstances: [9],
    });
    levels(4, 4);
    expect(await machine.health('machine')).toMatchObject({ status: 'unhealthy' });
    expect((await machine.health('instance')).reasons).toMatchObject([{ check: 'memoryPressure' }]);
  });

  it('is not degraded by one that is dead, which is told once', async () => {
    open({ instance: SILENT.instance, silence: 'dead' });
    const health = await machine.health('machine');
    expect(health).toMatchObject({ status: 'healthy', reasons: [], silentInstances: [] });
    expect(health.instances[2]).toEqual({ ...SILENT.instance, state: 'dead' });
  });

  it('has the connections, memory and CPU of all, and the last error of any', async () => {
    for (const [index, context] of contexts.entries()) {
      context.block().set('connectionsOpen', 3 + index);
      context.error = { message: `error ${index}`, timestamp: 50 - index };
    }
    expect(await machine.health('machine')).toMatchObject({
      connections: 7,
      lastError: { message: 'error 0' },
      performance: { memoryUsage: 200 },
    });
  });
});

describe('statistics of several instances', () => {
  it('add up, and name whose shards and sources they are', async () => {
    for (const [index, context] of contexts.entries()) {
      context.block().add('connectionsAccepted', 10 + index);
      context.block().set('lastActivityMs', 2_000_000 + index);
      context.sourceStates = [sourceState({ published: index })];
      context.ringFigures = { ...context.ringFigures, topics: 5 + index, refused: { PUBLICATION_TOO_LARGE: 1 } };
      context.dataFlowStats = { ...context.dataFlowStats, totalProcessed: 1 + 2 * index, averageLatency: 4 * index };
      context.pressureState = { stage: index as 0 | 1, steps: { trim: index + 1, conflate: 0, shed: 0, refuse: 0 } };
    }
    expect(await machine.statistics('machine')).toMatchObject({
      totalConnections: 21,
      lastActivity: 2_000_001,
      shards: [
        { process: 0, index: 0 },
        { process: 0, index: 1 },
        { process: 1, index: 0 },
        { process: 1, index: 1 },
      ],
      sources: [
        { process: 0, published: 0 },
        { process: 1, published: 1 },
      ],
      ring: { topics: 6, capacityBytes: 1024, refused: { PUBLICATION_TOO_LARGE: 2 } },
      dataFlow: { totalProcessed: 4, averageLatency: 3, activeChannels: 1 },
      memoryPressure: { stage: 1, steps: { trim: 3 } },
      instances: [{ process: 0, version: '1.2.3', status: 'healthy' }, { process: 1 }],
    });
    expect(await machine.statistics('instance')).toMatchObject({ totalConnections: 10, shards: [{}, {}] });
  });

  it('tell percentiles of all deliveries, not the middle of percentiles', async () => {
    contexts[0].block().addDeliveries(0, 98, 1, 1_000);
    contexts[1].block().addDeliveries(0, 2, 1, 1_000_000);
    const { latency } = await machine.statistics('machine');
    expect(latency.total.count).toBe(100);
    expect(latency.total.p95Ms).toBeLessThan(1.1);
    expect(latency.total.p99Ms).toBeGreaterThan(900);
    expect(latency.recent).toEqual(latency.total);
  });

  it('tell rates over the window of each instance, added up', async () => {
    const [slow, quick] = [new FakeInstruments(), new FakeInstruments()];
    const answers: InstanceAnswers[] = contexts.map(
      (context, index) => testAnswers(context, [slow, quick][index]).answers,
    );
    for (const context of contexts) context.block().addDeliveries(0, 600, 10, 1_000);
    slow.pass(60_000);
    quick.pass(10_000);
    const { rates } = await new MachineAnswers(answers[0]!, peersOf(answers[1]!)).statistics('machine');
    expect(rates).toMatchObject({ messagesPerSecond: 70, bytesPerSecond: 700, windowMs: 60_000 });
  });
});

describe('connections of several instances', () => {
  const row = (id: string, connectedAt: number) => ({ id, connectedAt }) as ConnectionRow;

  beforeEach(() => {
    contexts[0].rows = [row('a', 1), row('b', 4), row('c', 9)];
    contexts[1].rows = [row('d', 8), row('e', 3)];
    contexts[1].silentShards = [1];
    for (const context of contexts) context.block().set('connectionsOpen', 3);
  });

  it('are the highest of all, each with the instance that has it', async () => {
    expect(await machine.connections('machine', QUERY)).toEqual({
      connections: [
        { process: 0, ...row('c', 9) },
        { process: 1, ...row('d', 8) },
        { process: 0, ...row('b', 4) },
      ],
      total: 6,
      limit: 3,
      sort: 'connectedAt',
      silentShards: [1],
      instances: [
        { process: 0, pid: 100, state: 'answered', total: 3, silentShards: [] },
        { process: 1, pid: 101, state: 'answered', total: 3, silentShards: [1] },
      ],
      silentInstances: [],
    });
    expect(contexts[1].asked).toEqual([QUERY]);
  });

  it('of the instance alone ask nobody else', async () => {
    expect(await machine.connections('instance', QUERY)).toMatchObject({ total: 3, silentShards: [] });
    expect(contexts[1].asked).toEqual([]);
  });

  it('leave shards of others less time than their instance has', async () => {
    const asked: Question[] = [];
    const peers: Peers = { ask: async (question) => (asked.push(question) > 0 ? [] : []) };
    await machineOf(contexts[0], peers).connections('machine', QUERY);
    const { answerTimeoutMs } = contexts[0].config.cluster;
    expect((asked[0] as { timeoutMs: number }).timeoutMs).toBeLessThan(answerTimeoutMs);
  });
});

describe('a flush', () => {
  it('is one of all instances, or of this one', async () => {
    open(SILENT);
    expect(await machine.flush('machine')).toMatchObject({ flushed: 14, silentInstances: [9] });
    expect(contexts.map(({ flushes }) => flushes)).toEqual([1, 1]);
    expect(await machine.flush('instance')).toMatchObject({ flushed: 7, silentInstances: [] });
    expect(contexts.map(({ flushes }) => flushes)).toEqual([2, 1]);
  });
});

describe('status of several instances', () => {
  it('is available as long as one is', async () => {
    contexts[0].isRunning = false;
    contexts[1].block().set('connectionsOpen', 5);
    expect(await machine.status('machine')).toMatchObject({
      status: 'available',
      clients: 5,
      instances: [
        { process: 0, status: 'unavailable', clients: 0 },
        { process: 1, status: 'available', clients: 5 },
      ],
    });
    contexts[1].isRunning = false;
    expect(await machine.status('machine')).toMatchObject({ status: 'unavailable' });
  });
});

describe('metrics of several instances', () => {
  const lines = async () => (await machine.metrics('machine')).split('\n');

  it('keep shards of one number apart, add counters up and tell the highest of states', async () => {
    for (const [index, context] of contexts.entries()) {
      context.block().add('commands', 10);
      context.block().set('connectionsOpen', 1 + index);
      context.pressureState.stage = (2 * index) as 0 | 2;
      context.sourceStates = [sourceState({ status: index === 0 ? 'active' : 'failed', published: 5 })];
    }
    expect(await lines()).toEqual(
      expect.arrayContaining([
        'tickcast_commands_total 20',
        'tickcast_connections_open{process="0",shard="0"} 1',
        'tickcast_connections_open{process="1",shard="0"} 2',
        'tickcast_memory_pressure_stage 2',
        'tickcast_connections_limit 200',
        'tickcast_ring_capacity_bytes 1024',
        'tickcast_info{version="1.2.3"} 1',
        'tickcast_source_published_total{source="simulator"} 10',
        'tickcast_source_state{source="simulator",state="failed"} 1',
        'tickcast_source_state{source="simulator",state="active"} 1',
        'tickcast_health{status="healthy"} 0',
        'tickcast_health{status="degraded"} 1',
        'tickcast_instances{state="answered"} 2',
        'tickcast_instances{state="silent"} 0',
      ]),
    );
  });

  it('tell the latest start, and the memory of all processes together', async () => {
    const alone = (await machine.metrics('instance')).split('\n');
    const value = (text: string[], name: string) =>
      Number(text.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1));
    const together = await lines();
    expect(value(together, 'process_start_time_seconds')).toBe(value(alone, 'process_start_time_seconds'));
    expect(value(together, 'process_max_fds')).toBe(value(alone, 'process_max_fds'));
    expect(value(together, 'nodejs_heap_size_total_bytes')).toBeGreaterThan(
      1.5 * value(alone, 'nodejs_heap_size_total_bytes'),
    );
    expect(together.filter((line) => /NaN|Nan|Inf$|undefined|null/.test(line))).toEqual([]);
  });
});

describe('an answer that cannot be read', () => {
  it.each([null, 5, 'text', [], {}, { format: 2 }, { metrics: [{ name: 'x' }], health: 'healthy' }, { flushed: '7' }])(
    'is told, and costs itself alone: %j',
    async (answer) => {
      const reading = machineOf(contexts[0], saying(answer));
      const told = { instances: [{ process: 0 }, { process: 5, pid: 500, state: 'silent', reason: 'unreadable' }] };
      for (const ask of ['status', 'statistics', 'health', 'flush'] as const) {
        expect(await reading[ask]('machine')).toMatchObject(told);
      }
      expect(await reading.connections('machine', QUERY)).toMatchObject(told);
      expect(await reading.metrics('machine')).toContain('tickcast_instances{state="silent"} 1\n');
    },
  );
});

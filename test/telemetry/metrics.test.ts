import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { CLOSES, closeRow } from '../../src/connection/close-codes.ts';
import { Aggregator } from '../../src/telemetry/aggregator.ts';
import { dropReasonIndex } from '../../src/telemetry/drop-reasons.ts';
import { LATENCY_BOUNDS_SECONDS } from '../../src/telemetry/latency-metric.ts';
import { MACHINE_METRICS } from '../../src/telemetry/machine-metrics.ts';
import { METRICS } from '../../src/telemetry/metric-table.ts';
import { GatewayMetrics, METRICS_CONTENT_TYPE, renderMetrics } from '../../src/telemetry/metrics.ts';
import { CLOSE_SLOTS, COUNTERS, GAUGES } from '../../src/telemetry/statistics-block.ts';
import { type ExposedMetric, parseExposition } from '../support/exposition.ts';
import { FakeAdminContext, FakeInstruments, sourceState } from '../support/fake-admin-context.ts';

let context: FakeAdminContext;
let instruments: FakeInstruments;
let aggregator: Aggregator;
let metrics: GatewayMetrics;

beforeEach(() => {
  context = new FakeAdminContext();
  context.ringFigures.refused = { PUBLICATION_TOO_LARGE: 2 };
  context.sourceStates = [sourceState()];
  context.dataFlowStats.errorsByCode = { CHANNEL_FAILED: 3 };
  for (const block of context.blocks()) block.set('heartbeatMs', Date.now());
  instruments = new FakeInstruments();
  aggregator = new Aggregator(context, CLOSES, instruments);
  metrics = new GatewayMetrics(context, aggregator, CLOSES);
});

const MACHINE = { health: 'degraded', instances: { answered: 1, silent: 2, dead: 0 } } as const;

async function render(): Promise<string> {
  return renderMetrics([await metrics.snapshot()], MACHINE);
}

async function scrape(): Promise<Map<string, ExposedMetric>> {
  return parseExposition(await render());
}

async function value(sample: string): Promise<number | undefined> {
  const exposed = await scrape();
  for (const { samples } of exposed.values()) if (samples.has(sample)) return samples.get(sample);
  return undefined;
}

describe('the metrics', () => {
  it('are Prometheus text', () => {
    expect(METRICS_CONTENT_TYPE).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('are named with the unit last, and _total for counters only', () => {
    for (const { name, type } of [...METRICS, ...MACHINE_METRICS]) {
      expect(name).toMatch(/^tickcast_[a-z0-9_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
    }
  });

  it('sum counters over the shards, and tell gauges shard by shard', async () => {
    context.block(0).add('connectionsAccepted', 3);
    context.block(1).add('connectionsAccepted', 4);
    context.block(1).set('connectionsOpen', 2);
    context.block(1).set('batchDelayUs', 2_500);
    expect(await value('tickcast_connections_accepted_total')).toBe(7);
    expect(await value('tickcast_connections_open{process="0",shard="0"}')).toBe(0);
    expect(await value('tickcast_connections_open{process="0",shard="1"}')).toBe(2);
    expect(await value('tickcast_shard_batch_delay_seconds{process="0",shard="1"}')).toBe(0.0025);
  });

  it('do not count again what an earlier scrape has told', async () => {
    context.block().add('commands', 5);
    await scrape();
    context.block().add('commands', 1);
    expect(await value('tickcast_commands_total')).toBe(6);
  });

  it('are the figures of one gateway alone', async () => {
    context.block().add('commands', 5);
    const other = new FakeAdminContext();
    await new GatewayMetrics(other, new Aggregator(other, CLOSES), CLOSES).snapshot();
    expect(await value('tickcast_commands_total')).toBe(5);
  });

  it('tell closed connections by code and reason', async () => {
    context.block(0).addClose(closeRow('slowConsumer'));
    context.block(1).addClose(closeRow('slowConsumer'));
    context.block(1).addClose(closeRow('atCapacity'));
    expect(await value('tickcast_connections_closed_total{code="1013",reason="slowConsumer"}')).toBe(2);
    expect(await value('tickcast_connections_closed_total{code="1013",reason="atCapacity"}')).toBe(1);
    expect(CLOSES.length).toBeLessThanOrEqual(CLOSE_SLOTS);
  });

  it('tell deliveries by data type', async () => {
    context.block(0).addDeliveries(0, 3, 100, 10);
    context.block(1).addDeliveries(0, 1, 100, 10);
    expect(await value('tickcast_messages_forwarded_total{data_type="trade"}')).toBe(4);
    expect(await value('tickcast_forwarded_bytes_total{data_type="trade"}')).toBe(400);
  });

  it('tell what was merged and dropped by data type, and why', async () => {
    context.block(0).addMerged(1, 3);
    context.block(1).addMerged(1, 4);
    context.block(0).addDropped(0, dropReasonIndex('slow_consumer'), 5);
    context.block(1).addDropped(0, dropReasonIndex('slow_consumer'), 6);
    context.block(1).addDropped(0, dropReasonIndex('unsubscribed'), 1);
    expect(await value('tickcast_messages_merged_total{data_type="ticker"}')).toBe(7);
    expect(await value('tickcast_messages_merged_total{data_type="trade"}')).toBe(0);
    const dropped = (reason: string) => value(`tickcast_messages_dropped_total{data_type="trade",reason="${reason}"}`);
    expect([await dropped('slow_consumer'), await dropped('unsubscribed'), await dropped('shard_lapped')]).toEqual([
      11, 1, 0,
    ]);
  });

  it('tell resumes by outcome, and of slow connections shard by shard', async () => {
    context.block(0).add('resumesAccepted', 2);
    context.block(1).add('resumesRefused', 1);
    context.block(1).set('connectionsBehind', 3);
    context.block(1).set('pendingMessages', 40);
    context.block(1).set('lagMsMax', 2_500);
    expect(await value('tickcast_resumes_total{outcome="accepted"}')).toBe(2);
    expect(await value('tickcast_resumes_total{outcome="refused"}')).toBe(1);
    expect(await value('tickcast_connections_behind{process="0",shard="1"}')).toBe(3);
    expect(await value('tickcast_pending_messages{process="0",shard="1"}')).toBe(40);
    expect(await value('tickcast_connection_lag_seconds_max{process="0",shard="1"}')).toBe(2.5);
    expect(await value('tickcast_connection_lag_seconds_max{process="0",shard="0"}')).toBe(0);
  });

  it('tell how far a shard is behind the transmitter, once it has turned', async () => {
    context.ringFigures.position = 10_000;
    context.block(0).set('ringPosition', 9_000);
    context.block(1).resetGauges();
    expect(await value('tickcast_shard_ring_lag_bytes{process="0",shard="0"}')).toBe(1_000);
    expect(await value('tickcast_shard_ring_lag_bytes{process="0",shard="1"}')).toBe(0);
    expect(await value('tickcast_shard_heartbeat_age_seconds{process="0",shard="1"}')).toBeUndefined();
  });

  it('tell the state of the source, and by code what was refused or went wrong', async () => {
    context.sourceStates = [sourceState({ name: 'a "quoted"\nname', status: 'failed', published: 9 })];
    const name = 'a \\"quoted\\"\\nname';
    expect(await value(`tickcast_source_state{source="${name}",state="failed"}`)).toBe(1);
    expect(await value(`tickcast_source_state{source="${name}",state="active"}`)).toBe(0);
    expect(await value(`tickcast_source_published_total{source="${name}"}`)).toBe(9);
    expect(await value('tickcast_dataflow_errors_total{code="CHANNEL_FAILED"}')).toBe(3);
    expect(await value('tickcast_publications_refused_total{code="PUBLICATION_TOO_LARGE"}')).toBe(2);
  });

  it('tell the stage of memory pressure, and how often each step was taken', async () => {
    context.pressureState = { stage: 3, steps: { trim: 5, conflate: 4, shed: 7, refuse: 0 } };
    context.block(1).add('shedConnections', 2);
    context.block(1).add('handshakesRefusedForMemory', 6);
    expect(await value('tickcast_memory_pressure_stage')).toBe(3);
    expect(await value('tickcast_memory_pressure_steps_total{step="shed"}')).toBe(7);
    expect(await value('tickcast_memory_pressure_steps_total{step="refuse"}')).toBe(0);
    expect(await value('tickcast_connections_shed_total')).toBe(2);
    expect(await value('tickcast_handshakes_refused_for_memory_total')).toBe(6);
  });

  it('tell the health and the instances of the machine', async () => {
    expect(await value('tickcast_health{status="degraded"}')).toBe(1);
    expect(await value('tickcast_health{status="healthy"}')).toBe(0);
    expect(await value('tickcast_instances{state="answered"}')).toBe(1);
    expect(await value('tickcast_instances{state="silent"}')).toBe(2);
  });

  it('tell whether a shard is up', async () => {
    context.shardStates[0]!.status = 'restarting';
    expect(await value('tickcast_shard_up{process="0",shard="1"}')).toBe(1);
    expect(await value('tickcast_shard_up{process="0",shard="0"}')).toBe(0);
  });

  it('tell which of the alerts of the gateway fire, and which do not', async () => {
    const raised = { name: 'TickcastLatencyHigh', value: 20, threshold: 15, since: 1, summary: '' } as const;
    context.raisedAlerts = [
      { ...raised, severity: 'warning', state: 'firing' },
      { ...raised, severity: 'critical', state: 'pending' },
    ];
    expect(await value('tickcast_alert_firing{alert="TickcastLatencyHigh",severity="warning"}')).toBe(1);
    expect(await value('tickcast_alert_firing{alert="TickcastLatencyHigh",severity="critical"}')).toBe(0);
    expect(await value('tickcast_alert_firing{alert="TickcastMemoryHigh",severity="warning"}')).toBe(0);
  });

  it('tell what configuration allows, so that alerts can compare with it', async () => {
    instruments.rss = 128 * 1024 * 1024;
    expect(await value('tickcast_memory_used_ratio')).toBe(0.25);
    expect(await value('tickcast_latency_allowance_seconds')).toBe(0);
    const fixed = new FakeAdminContext({ batch: { mode: 'fixed', maxDelayMs: 250 }, memory: { thresholdMb: 0 } });
    metrics = new GatewayMetrics(fixed, new Aggregator(fixed, CLOSES, instruments), CLOSES);
    expect(await value('tickcast_memory_used_ratio')).toBe(0);
    expect(await value('tickcast_latency_allowance_seconds')).toBe(0.25);
  });

  it('tell how busy the primary was between the last two samples', async () => {
    for (const busyMs of [900, 250]) {
      instruments.pass(1_000);
      instruments.loopBusy += busyMs;
      aggregator.sample();
    }
    expect(await value('tickcast_primary_loop_utilization_ratio')).toBe(0.25);
  });

  it('tell how long a source has been silent, from the start of the gateway where it never spoke', async () => {
    const nowMs = context.startedAtMs + 90_000;
    instruments.wall = nowMs;
    const spoke = { name: 'spoke', lastPublicationMs: nowMs - 4_000 };
    context.sourceStates = [sourceState(spoke), sourceState({ name: 'never' })];
    expect(await value('tickcast_source_silence_seconds{source="spoke"}')).toBe(4);
    expect(await value('tickcast_source_silence_seconds{source="never"}')).toBe(90);
  });

  it('tell how many lines of the log were lost, and why', async () => {
    context.linesLost = 3;
    context.block(0).add('logLinesSuppressed', 5);
    context.block(1).add('logLinesSuppressed', 6);
    expect(await value('tickcast_log_lines_lost_total{cause="unwritable"}')).toBe(3);
    expect(await value('tickcast_log_lines_lost_total{cause="suppressed"}')).toBe(11);
  });

  it('count the open file descriptors without listing them', async () => {
    const open = await value('process_open_fds');
    if (open !== undefined) expect(open).toBeGreaterThan(2);
  });

  it('tell how long ago a shard last turned', async () => {
    context.block(0).set('heartbeatMs', Date.now() - 5_000);
    expect(await value('tickcast_shard_heartbeat_age_seconds{process="0",shard="0"}')).toBeGreaterThanOrEqual(5);
  });

  it('use every figure of the statistics blocks', async () => {
    context.ringFigures.position = 1_000_000;
    const before = steadyPart(await render());
    expect(steadyPart(await render())).toBe(before);
    for (const name of [...COUNTERS, ...GAUGES].filter((each) => !TOLD_ELSEWHERE.has(each))) {
      context.block().add(name, 77_000);
      expect(steadyPart(await render()), name).not.toBe(before);
      context.block().add(name, -77_000);
    }
  });
});

/** Figures that a metric tells from another count, that have a test of their own, or that a chart has no use for. */
const TOLD_ELSEWHERE = new Set<string>([
  'messagesForwarded',
  'bytesForwarded',
  'connectionsClosed',
  'heartbeatMs',
  'lifetimes',
  'connectedAtMsSum',
  'lastActivityMs',
  'threadId',
  'phase',
  'commandOf',
]);

/** The gateway's own lines but those that time alone changes. */
function steadyPart(text: string): string {
  const isSteady = (line: string) => line.startsWith('tickcast_') && !line.startsWith('tickcast_shard_heartbeat_age');
  return text.split('\n').filter(isSteady).join('\n');
}

describe('the latency histogram', () => {
  const NAME = 'tickcast_delivery_latency_seconds';

  async function tradeBuckets(): Promise<[string, number][]> {
    const { samples } = (await scrape()).get(NAME)!;
    return [...samples].flatMap(([sample, count]): [string, number][] => {
      const bound = /_bucket\{data_type="trade",le="([^"]+)"\}/.exec(sample)?.[1];
      return bound === undefined ? [] : [[bound, count]];
    });
  }

  it('is one histogram with every data type, its bounds in order', async () => {
    const exposed = (await scrape()).get(NAME)!;
    expect(exposed.type).toBe('histogram');
    expect((await tradeBuckets()).map(([bound]) => bound)).toEqual([...LATENCY_BOUNDS_SECONDS.map(String), '+Inf']);
    for (const part of ['sum', 'count']) expect(exposed.samples.has(`${NAME}_${part}{data_type="other"}`)).toBe(true);
  });

  it('cumulates, ends with the count, and keeps the exact sum', async () => {
    context.block(0).addDeliveries(0, 2, 100, 400);
    context.block(1).addDeliveries(0, 3, 100, 20_000);
    context.block(1).addDeliveries(0, 1, 100, 60e6);
    const counts = Object.fromEntries(await tradeBuckets());
    expect(counts).toMatchObject({ 0.00025: 0, 0.0005: 2, 0.015: 2, 0.03: 5, 10: 5, '+Inf': 6 });
    expect(await value(`${NAME}_count{data_type="trade"}`)).toBe(6);
    expect(await value(`${NAME}_sum{data_type="trade"}`)).toBeCloseTo(60.0608);
  });

  it('never counts a latency below a bound that it is over, and misses none by more than 6.25 %', async () => {
    let total = 0;
    for (const bound of LATENCY_BOUNDS_SECONDS) {
      const boundUs = Math.round(bound * 1e6);
      context.block().addDeliveries(0, 1, 1, boundUs + 1);
      context.block().addDeliveries(0, 1, 1, Math.floor(boundUs / 1.0625) - 1);
    }
    for (const [bound, count] of (await tradeBuckets()).slice(0, -1)) {
      total += 2;
      expect({ bound, count }).toEqual({ bound, count: total - 1 });
    }
  });
});

describe('docs/metrics.md', () => {
  interface Documented {
    type: string;
    labels: string[];
  }

  /** Rows of its tables: | `name` | type | labels | unit | meaning |. */
  function documented(): Map<string, Documented> {
    const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    const rows = [...text.matchAll(/^\| `([a-z0-9_]+)` \| (\w+) \| ([^|]*) \| ([^|]+) \| ([^|]+) \|$/gm)];
    for (const [, name, , , unit, meaning] of rows) {
      expect(`${name}: ${unit!.trim() && meaning!.trim() ? 'told' : 'missing'}`).toBe(`${name}: told`);
    }
    const names = rows.map(([, name]) => name!);
    expect(new Set(names).size).toBe(names.length);
    return new Map(
      rows.map(([, name, type, labels]) => [
        name!,
        { type: type!, labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!) },
      ]),
    );
  }

  it('lists what a scrape has, all of it and nothing else', async () => {
    const exposed = [...(await scrape())].map(([name, { type }]) => `${name} ${type}`);
    const listed = [...documented()].map(([name, { type }]) => `${name} ${type}`);
    // Only Linux tells these.
    const linux =
      process.platform === 'linux'
        ? []
        : listed.filter((each) => /^process_(open_fds|max_fds|virtual|heap)/.test(each));
    expect([...exposed, ...linux].sort()).toEqual(listed.sort());
  });

  it('names every label', async () => {
    const listed = documented();
    for (const [name, { labels }] of await scrape()) {
      labels.delete('le');
      // Metrics of the process may have no sample yet: nothing to wait for, nothing collected.
      const whole = name.startsWith('tickcast_') ? [...labels] : [...new Set([...labels, ...listed.get(name)!.labels])];
      expect(listed.get(name)!.labels.sort(), name).toEqual(whole.sort());
    }
  });

  it('names the gauges that add up over instances, and no other', () => {
    const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    const [, sentence] = /These gauges add up all the same:\n((?: {2}.*\n)+)/.exec(text)!;
    const told = [...sentence!.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    const adding = METRICS.filter(({ type, aggregator }) => type === 'gauge' && aggregator === 'sum');
    expect(told).toEqual(adding.map(({ name }) => name));
    const others = METRICS.filter(({ type, aggregator }) => type === 'gauge' && !['sum', 'max'].includes(aggregator));
    expect(others.map(({ name, aggregator }) => `${name} ${aggregator}`)).toEqual(['tickcast_numbering_shared min']);
    expect(text).toContain('`tickcast_numbering_shared` is the least that one has');
    expect(METRICS.filter(({ type, aggregator }) => type === 'counter' && aggregator !== 'sum')).toEqual([]);
  });

  it('names the labels that the table of metrics declares', () => {
    const listed = documented();
    for (const { name, type, labels } of [...METRICS, ...MACHINE_METRICS]) {
      expect(listed.get(name), name).toEqual({ type, labels: [...labels] });
    }
  });
});

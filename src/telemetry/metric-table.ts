import type { SourceStatus } from '../source/source.ts';
import { ALERT_RULES } from './alert-rules.ts';
import type { Alert } from './alerts.ts';
import { COMPRESSION_METRICS } from './compression-metrics.ts';
import { DELIVERY_METRICS } from './delivery-metrics.ts';
import { latencyAllowanceMs } from './health-figures.ts';
import {
  aggregated,
  closeSamples,
  counted,
  labelled,
  type MetricReading,
  type MetricRow,
  ofShards,
  ofSources,
  oneOf,
  plain,
  type Sample,
} from './metric-row.ts';
import { SHARD_METRICS } from './shard-metrics.ts';

const SOURCE_STATUSES: readonly SourceStatus[] = ['idle', 'starting', 'active', 'ended', 'failed', 'stopped'];

/** Every metric of an instance but the latency histogram, in the order of docs/metrics.md. */
export const METRICS: readonly MetricRow[] = [
  // The gateway.
  labelled('gauge', 'tickcast_info', 'Version of the gateway; the value is always 1', ['version'], ({ context }) => [
    { labels: { version: context.version }, value: 1 },
  ]),
  plain(
    'gauge',
    'tickcast_start_time_seconds',
    'When the gateway started, since the epoch',
    ({ context }) => context.startedAtMs / 1_000,
  ),
  labelled(
    'gauge',
    'tickcast_alert_firing',
    'The alerts that the gateway raises by itself: 1 while one fires',
    ['alert', 'severity'],
    alertSamples,
  ),

  // Connections.
  counted('tickcast_connections_accepted_total', 'Connections accepted', 'connectionsAccepted'),
  counted(
    'tickcast_connections_refused_total',
    'Connections closed before their welcome for a limit',
    'connectionsRefused',
  ),
  labelled(
    'counter',
    'tickcast_connections_closed_total',
    'Connections closed, by close code and reason',
    ['code', 'reason'],
    closeSamples,
  ),
  plain(
    'counter',
    'tickcast_connection_duration_seconds_total',
    'How long the closed connections had been open, added up',
    ({ counters }) => counters.connectionDurationMsSum / 1_000,
  ),
  counted(
    'tickcast_handshakes_failed_total',
    'Handshakes that failed: refused requests, time-outs, broken upgrades',
    'handshakesFailed',
  ),
  counted(
    'tickcast_forwarding_headers_unusable_total',
    'Forwarding headers of trusted proxies that name no client',
    'forwardingHeadersUnusable',
  ),
  aggregated(
    'sum',
    plain(
      'gauge',
      'tickcast_connections_limit',
      'Open connections that limits.connections allows; 0 where there is no limit',
      ({ context }) => context.config.limits.connections,
    ),
  ),
  ofShards('gauge', 'tickcast_connections_open', 'Connections open now', ({ connections }) => connections),
  ofShards('gauge', 'tickcast_filters', 'Filters in force now', ({ filters }) => filters),
  ofShards('gauge', 'tickcast_channels', 'Channel subscriptions in force now', ({ channels }) => channels),
  ofShards('gauge', 'tickcast_cohorts', 'Sets of filters that share their batches', ({ cohorts }) => cohorts),
  ofShards('gauge', 'tickcast_pending_bytes', 'Unsent bytes held for clients', ({ pendingBytes }) => pendingBytes),

  ...DELIVERY_METRICS,
  plain(
    'gauge',
    'tickcast_latency_allowance_seconds',
    'What a fixed batch waits on purpose; thresholds of latency allow for it',
    ({ context }) => latencyAllowanceMs(context.config) / 1_000,
  ),

  ...COMPRESSION_METRICS,

  labelled(
    'counter',
    'tickcast_flush_passes_total',
    'Passes over the batches, by why the next begins when it does: at_once, load, budget, overrun, fixed',
    ['decision'],
    ({ counters }) => [
      { labels: { decision: 'at_once' }, value: counters.passesAtOnce },
      { labels: { decision: 'load' }, value: counters.passesByLoad },
      { labels: { decision: 'budget' }, value: counters.passesByBudget },
      { labels: { decision: 'overrun' }, value: counters.passesOverrun },
      { labels: { decision: 'fixed' }, value: counters.passesFixed },
    ],
  ),

  // Clients.
  counted('tickcast_commands_total', 'Messages from clients', 'commands'),
  counted('tickcast_errors_total', 'Errors: error replies, and connections closed for an error', 'errors'),
  labelled('counter', 'tickcast_client_faults_total', 'What clients did wrong, by kind', ['kind'], ({ counters }) => [
    { labels: { kind: 'invalid_message' }, value: counters.invalidMessages },
    { labels: { kind: 'unknown_message' }, value: counters.unknownMessages },
    { labels: { kind: 'rate_limited' }, value: counters.rateLimited },
    { labels: { kind: 'slow_consumer' }, value: counters.slowConsumersClosed },
    { labels: { kind: 'heartbeat_timeout' }, value: counters.heartbeatTimeouts },
  ]),

  ...SHARD_METRICS,

  // Memory pressure.
  plain(
    'gauge',
    'tickcast_memory_used_ratio',
    'Resident memory as a share of memory.thresholdMb; 0 where there is no threshold',
    memoryShare,
  ),
  plain(
    'gauge',
    'tickcast_memory_pressure_stage',
    'How many of the steps against memory pressure are in force, 0 to 4',
    ({ context }) => context.pressure().stage,
  ),
  labelled(
    'counter',
    'tickcast_memory_pressure_steps_total',
    'Steps taken against memory pressure: trim, conflate, shed, refuse',
    ['step'],
    ({ context }) => Object.entries(context.pressure().steps).map(([step, value]) => ({ labels: { step }, value })),
  ),
  counted('tickcast_connections_shed_total', 'Connections closed to get memory back', 'shedConnections'),
  counted(
    'tickcast_handshakes_refused_for_memory_total',
    'Handshakes answered 503 under memory pressure; among those that failed',
    'handshakesRefusedForMemory',
  ),

  // The primary: its thread, ring and data flow.
  plain(
    'gauge',
    'tickcast_primary_loop_utilization_ratio',
    'Share of the last second that the event loop of the primary was busy, 0 to 1',
    ({ loopUtilization }) => loopUtilization,
  ),
  labelled(
    'counter',
    'tickcast_log_lines_lost_total',
    'Lines of the log that were lost, by cause',
    ['cause'],
    ({ context, counters }) => [
      { labels: { cause: 'suppressed' }, value: counters.logLinesSuppressed },
      { labels: { cause: 'unwritable' }, value: context.logLinesLost() },
    ],
  ),
  plain('counter', 'tickcast_publications_total', 'Publications written to the ring', ({ ring }) => ring.publications),
  plain(
    'counter',
    'tickcast_publication_bytes_total',
    'Bytes of the frames written to the ring',
    ({ ring }) => ring.bytes,
  ),
  labelled(
    'counter',
    'tickcast_publications_refused_total',
    'Publications that could not be framed, by error code',
    ['code'],
    ({ ring }) => Object.entries(ring.refused).map(([code, value]) => ({ labels: { code }, value })),
  ),
  plain('gauge', 'tickcast_topics', 'Topics known', ({ ring }) => ring.topics),
  aggregated(
    'min',
    plain(
      'gauge',
      'tickcast_numbering_shared',
      '1 while publications have the numbers of their source, so that other instances give them the same',
      ({ ring }) => (ring.numbering.kind === 'source' ? 1 : 0),
    ),
  ),
  plain(
    'counter',
    'tickcast_numbering_holes_total',
    'Times that something may be missing between two numbers of the source',
    ({ ring }) => ring.numbering.holes,
  ),
  plain('gauge', 'tickcast_ring_capacity_bytes', 'Size of the ring', ({ ring }) => ring.capacityBytes),
  plain(
    'counter',
    'tickcast_ring_position_bytes_total',
    'Position of the transmitter: bytes of all records, headers included',
    ({ ring }) => ring.position,
  ),
  plain(
    'counter',
    'tickcast_latest_values_carried_total',
    'Latest values written once more before the ring overwrote them',
    ({ ring }) => ring.latestValues.carried,
  ),
  plain(
    'counter',
    'tickcast_latest_values_forgotten_total',
    'Latest values given up',
    ({ ring }) => ring.latestValues.forgotten,
  ),
  plain(
    'counter',
    'tickcast_dataflow_processed_total',
    'Publications taken in by the data flow',
    ({ dataFlow }) => dataFlow.totalProcessed,
  ),
  plain(
    'counter',
    'tickcast_dataflow_sent_total',
    'Publications handed to output channels, one for each channel',
    ({ dataFlow }) => dataFlow.totalSent,
  ),
  plain(
    'counter',
    'tickcast_dataflow_unrouted_total',
    'Publications that no rule sent anywhere, while there were rules',
    ({ dataFlow }) => dataFlow.totalUnrouted,
  ),
  plain(
    'counter',
    'tickcast_dataflow_dropped_total',
    'Deliveries given up: the oldest of a full queue, and what a closing channel did not take in time',
    ({ dataFlow }) => dataFlow.totalDropped,
  ),
  labelled(
    'counter',
    'tickcast_dataflow_errors_total',
    'What went wrong in the data flow, by error code',
    ['code'],
    ({ dataFlow }) => Object.entries(dataFlow.errorsByCode).map(([code, value]) => ({ labels: { code }, value })),
  ),
  aggregated(
    'sum',
    plain(
      'gauge',
      'tickcast_dataflow_queue_length',
      'Publications that wait for slow output channels',
      ({ dataFlow }) => dataFlow.currentQueueSize,
    ),
  ),
  plain('gauge', 'tickcast_dataflow_backpressure_active', '1 while back-pressure is on', ({ dataFlow }) =>
    dataFlow.backpressureActive ? 1 : 0,
  ),
  plain(
    'gauge',
    'tickcast_dataflow_channels_active',
    'Output channels that are enabled',
    ({ dataFlow }) => dataFlow.activeChannels,
  ),
  plain('gauge', 'tickcast_dataflow_routing_rules', 'Routing rules', ({ dataFlow }) => dataFlow.routingRules),

  // Sources.
  ofSources(
    'counter',
    'tickcast_source_published_total',
    'Publications handed over by the source',
    ({ published }) => published,
  ),
  ofSources(
    'counter',
    'tickcast_source_rejected_total',
    'Inputs that the source could not use',
    ({ rejected }) => rejected,
  ),
  ofSources('counter', 'tickcast_source_read_bytes_total', 'Bytes read from the outside', ({ bytesRead }) => bytesRead),
  ofSources(
    'gauge',
    'tickcast_source_last_publication_seconds',
    'When the source last published, since the epoch; 0 before that',
    ({ lastPublicationMs }) => lastPublicationMs / 1_000,
  ),
  labelled(
    'gauge',
    'tickcast_source_silence_seconds',
    'Since the source last published; before that, since the gateway started',
    ['source'],
    silenceSamples,
  ),
  labelled(
    'gauge',
    'tickcast_source_state',
    'State of the source: 1 at the one it is in, 0 at the others',
    ['source', 'state'],
    ({ sources }) =>
      sources.flatMap(({ name, status }) => oneOf(SOURCE_STATUSES, status, (state) => ({ source: name, state }))),
  ),
];

function alertSamples({ context }: MetricReading): Sample[] {
  const raised = context.alerts();
  return ALERT_RULES.map(({ name, severity }) => {
    const isOurs = (alert: Alert) => alert.name === name && alert.severity === severity && alert.state === 'firing';
    return { labels: { alert: name, severity }, value: raised.some(isOurs) ? 1 : 0 };
  });
}

function memoryShare({ context, memoryMb }: MetricReading): number {
  const { thresholdMb } = context.config.memory;
  return thresholdMb === 0 ? 0 : memoryMb / thresholdMb;
}

function silenceSamples({ context, sources, nowMs }: MetricReading): Sample[] {
  return sources.map(({ name, lastPublicationMs }) => {
    const sinceMs = Math.max(lastPublicationMs, context.startedAtMs);
    return { labels: { source: name }, value: Math.max(0, nowMs - sinceMs) / 1_000 };
  });
}

import { droppedTotals, mergedTotal } from './delivery-account.ts';
import { DROP_REASONS } from './drop-reasons.ts';
import { counted, labelled, type MetricRow, ofDataTypes, ofShards } from './metric-row.ts';
import { DATA_TYPE_NAMES } from './statistics-block.ts';

/** What clients get, and what becomes of the rest. */
export const DELIVERY_METRICS: readonly MetricRow[] = [
  ofDataTypes('tickcast_messages_forwarded_total', 'Data deliveries, one for each recipient', ({ count }) => count),
  ofDataTypes('tickcast_forwarded_bytes_total', 'Bytes of the frames delivered', ({ bytes }) => bytes),
  labelled(
    'counter',
    'tickcast_messages_merged_total',
    'Publications that another frame of their topic stood for, one for each recipient',
    ['data_type'],
    ({ blocks }) =>
      DATA_TYPE_NAMES.map((dataType, slot) => ({
        labels: { data_type: dataType },
        value: mergedTotal(blocks, [slot]),
      })),
  ),
  labelled(
    'counter',
    'tickcast_messages_dropped_total',
    'Publications that a recipient was told it will not get, by reason',
    ['data_type', 'reason'],
    ({ blocks }) =>
      DATA_TYPE_NAMES.flatMap((dataType, slot) => {
        const dropped = droppedTotals(blocks, [slot]);
        return DROP_REASONS.map((reason) => ({ labels: { data_type: dataType, reason }, value: dropped[reason] }));
      }),
  ),
  counted('tickcast_gaps_total', 'Gap messages sent', 'gapsSent'),
  counted('tickcast_snapshots_total', 'Frames sent that restate a latest value', 'snapshotsSent'),
  labelled('counter', 'tickcast_resumes_total', 'Requests to resume, by outcome', ['outcome'], ({ counters }) => [
    { labels: { outcome: 'accepted' }, value: counters.resumesAccepted },
    { labels: { outcome: 'refused' }, value: counters.resumesRefused },
  ]),
  counted('tickcast_messages_replayed_total', 'Deliveries made again from the ring after a resume', 'replayed'),
  counted(
    'tickcast_connections_fell_behind_total',
    'Times a connection read too slowly to be served live',
    'fellBehind',
  ),
  counted('tickcast_connections_caught_up_total', 'Times such a connection was served live again', 'caughtUp'),
  ofShards(
    'gauge',
    'tickcast_connections_behind',
    'Connections that read too slowly to be served live',
    ({ connectionsBehind }) => connectionsBehind,
  ),
  ofShards(
    'gauge',
    'tickcast_pending_messages',
    'Messages that wait for those connections',
    ({ pendingMessages }) => pendingMessages,
  ),
  ofShards(
    'gauge',
    'tickcast_connection_lag_seconds_max',
    'How far the slowest connection is behind',
    ({ lagMsMax }) => lagMsMax / 1_000,
  ),
  counted('tickcast_socket_writes_total', 'Writes to client sockets', 'socketWrites'),
  counted('tickcast_flushes_total', 'Batches flushed', 'flushes'),
  counted('tickcast_match_operations_total', 'Topics looked up in the subscription index', 'matchOperations'),
];

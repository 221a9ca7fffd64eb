import { counted, labelled, type MetricRow, ofBlockGauges } from './metric-row.ts';

/** What is compressed, and what is not for which reason. All of it stays at 0 where `compression.mode` is `off`. */
export const COMPRESSION_METRICS: readonly MetricRow[] = [
  counted(
    'tickcast_compression_frames_total',
    'Frames compressed, once for each stream and not for each recipient',
    'framesCompressed',
  ),
  counted(
    'tickcast_compression_frames_too_small_total',
    'Frames left plain in a stream for their size',
    'framesTooSmallToCompress',
  ),
  counted('tickcast_compression_in_bytes_total', 'Bytes of the compressed frames before', 'compressionBytesIn'),
  counted('tickcast_compression_out_bytes_total', 'Bytes of the compressed frames after', 'compressionBytesOut'),
  counted('tickcast_compression_resets_total', 'Times a stream was reset to let newcomers in', 'compressionResets'),
  labelled(
    'counter',
    'tickcast_compression_batches_skipped_total',
    'Batches that went out plain to clients that could inflate, by rule',
    ['rule'],
    ({ counters }) => [
      { labels: { rule: 'busy_shard' }, value: counters.compressionSkippedBusy },
      { labels: { rule: 'small_cohort' }, value: counters.compressionSkippedSmall },
      { labels: { rule: 'no_stream' }, value: counters.compressionSkippedNoStream },
    ],
  ),
  ofBlockGauges('tickcast_compression_streams', 'Compressed streams open now', 'compressionStreams'),
  ofBlockGauges(
    'tickcast_connections_compressed',
    'Connections that follow a compressed stream now',
    'connectionsCompressed',
  ),
];

import { describe, expect, it } from 'vitest';
import { metricTotal, slowFigures } from '../../perf/lib/gateway-metrics.ts';

const TEXT = `# HELP writes_total Writes
# TYPE writes_total counter
writes_total 5
writes_total_more 100
forwarded_total{data_type="trade"} 7
forwarded_total{data_type="a b"} 1.5e2
`;

describe('metricTotal', () => {
  it('adds a metric up over its labels', () => {
    expect(metricTotal(TEXT, 'forwarded_total')).toBe(157);
    expect(metricTotal(TEXT, 'writes_total')).toBe(5);
  });

  it('adds up only what has a label', () => {
    expect(metricTotal(TEXT, 'forwarded_total', 'data_type="a b"')).toBe(150);
    expect(metricTotal(TEXT, 'forwarded_total', 'data_type="b"')).toBe(0);
  });

  it('is 0 for a metric that is not there', () => {
    expect(metricTotal(TEXT, 'writes')).toBe(0);
    expect(metricTotal('', 'writes')).toBe(0);
  });
});

describe('slowFigures', () => {
  it('picks out what concerns slow clients', () => {
    const text = [
      'tickcast_connections_open{shard="0"} 3',
      'tickcast_connections_open{shard="1"} 4',
      'tickcast_connections_behind{shard="0"} 2',
      'tickcast_pending_bytes{shard="0"} 1048576',
      'tickcast_messages_dropped_total{data_type="trade",reason="slow_consumer"} 90',
      'tickcast_connections_closed_total{code="1013",reason="atCapacity"} 1',
      'tickcast_connections_closed_total{code="1013",reason="slowConsumer"} 5',
    ].join('\n');
    const expected = { open: 7, behind: 2, pendingMib: 1, dropped: 90, merged: 0, closedAsSlow: 5 };
    expect(slowFigures(text)).toMatchObject(expected);
  });
});

import { describe, expect, it } from 'vitest';
import { metricTotal } from '../../perf/lib/gateway-metrics.ts';

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

  it('is 0 for a metric that is not there', () => {
    expect(metricTotal(TEXT, 'writes')).toBe(0);
    expect(metricTotal('', 'writes')).toBe(0);
  });
});

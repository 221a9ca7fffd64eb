import { describe, expect, it } from 'vitest';
import { groupingLabelsOf, selectorsOf } from '../support/promql.ts';

describe('selectorsOf', () => {
  it.each([
    ['up', [{ metric: 'up', labels: [] }]],
    ['up{job="a b",x!~"c{d}"} == 0', [{ metric: 'up', labels: ['job', 'x'] }]],
    [
      'rate(a_total[5m]) / on (job) group_left (x) b > 0.5e3',
      [
        { metric: 'a_total', labels: [] },
        { metric: 'b', labels: [] },
      ],
    ],
    [
      'sum without (shard) (x) and ignoring (y) z:w:1m',
      [
        { metric: 'x', labels: [] },
        { metric: 'z:w:1m', labels: [] },
      ],
    ],
    [
      'histogram_quantile(0.99, sum by (le) (rate(h_bucket{i=~"$i"}[$__rate_interval])))',
      [{ metric: 'h_bucket', labels: ['i'] }],
    ],
    ['1000 / 60 + time()', []],
  ])('of %s', (expr, selectors) => {
    expect(selectorsOf(expr)).toEqual(selectors);
  });
});

describe('groupingLabelsOf', () => {
  it('finds the labels of all lists', () => {
    expect(groupingLabelsOf('sum by (a, b) (x{c="by (d)"}) / ignoring (e) group_left () y')).toEqual(['a', 'b', 'e']);
  });
});

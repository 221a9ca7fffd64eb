import { describe, expect, it } from 'vitest';
import { formatTable, type Row } from '../../perf/lib/table.ts';

describe('formatTable', () => {
  it('sets text to the left, numbers to the right, and leaves out what a row lacks', () => {
    const rows: Row[] = [
      { server: 'tickcast', rate: 1_000_000, saturated: false },
      { server: 'ws', rate: 1.2345 },
    ];
    expect(formatTable(rows)).toBe(
      [
        'server         rate  saturated',
        '--------  ---------  ---------',
        'tickcast  1,000,000      false',
        'ws            1.235',
      ].join('\n'),
    );
  });
});

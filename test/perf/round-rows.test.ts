import { describe, expect, it } from 'vitest';
import { roundRows } from '../../perf/lib/round-rows.ts';

describe('roundRows', () => {
  it('adds the middle of each column to several rounds', () => {
    const rounds = [
      { p50: 1, p99: 30 },
      { p50: 3, p99: 20 },
      { p50: 2, p99: 10 },
    ];
    expect(roundRows(rounds, { storm: 'resume' })).toEqual([
      { storm: 'resume', round: '1', p50: 1, p99: 30 },
      { storm: 'resume', round: '2', p50: 3, p99: 20 },
      { storm: 'resume', round: '3', p50: 2, p99: 10 },
      { storm: 'resume', round: 'middle', p50: 2, p99: 20 },
    ]);
  });

  it('adds nothing to a single round', () => {
    expect(roundRows([{ p50: 1 }])).toEqual([{ round: '1', p50: 1 }]);
    expect(roundRows([])).toEqual([]);
  });
});

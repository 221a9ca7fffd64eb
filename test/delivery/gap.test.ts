import { describe, expect, it } from 'vitest';
import { addGap, type Gap, gapFrame } from '../../src/delivery/gap.ts';
import { textsOf } from '../support/received-frames.ts';

function gap(fromSeq: number, toSeq: number, count: number, reason: Gap['reason'] = 'slow_consumer'): Gap {
  return { topic: 3, slot: 1, fromSeq, toSeq, count, reason };
}

describe('addGap', () => {
  it('makes one of two that follow each other for the same reason', () => {
    const gaps: Gap[] = [];
    addGap(gaps, gap(4, 4, 1));
    addGap(gaps, gap(9, 15, 3));
    expect(gaps).toEqual([gap(4, 15, 4)]);
  });

  it('keeps those of different reasons apart, in order', () => {
    const gaps = [gap(4, 8, 2)];
    addGap(gaps, gap(9, 9, 1, 'memory_pressure'));
    addGap(gaps, gap(12, 12, 1));
    addGap(gaps, gap(13, 13, 1));
    expect(gaps).toEqual([gap(4, 8, 2), gap(9, 9, 1, 'memory_pressure'), gap(12, 13, 2)]);
  });

  it('changes no gap that somebody may hold', () => {
    const first = gap(4, 4, 1);
    const gaps = [first];
    addGap(gaps, gap(5, 5, 1));
    expect(first).toEqual(gap(4, 4, 1));
  });
});

describe('gapFrame', () => {
  it('names the topic, with null for what it lacks, and tells which and why', () => {
    const name = { exchange: 'binance', symbol: null, dataType: 'kline_1m' };
    const [text] = textsOf(gapFrame(gap(4, 15, 4, 'shard_lapped'), name));
    expect(JSON.parse(text!)).toEqual({
      type: 'gap',
      payload: { ...name, fromSeq: 4, toSeq: 15, count: 4, reason: 'shard_lapped' },
      timestamp: expect.any(Number),
    });
  });
});

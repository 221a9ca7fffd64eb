import { describe, expect, it } from 'vitest';
import type { Gap } from '../../src/delivery/gap.ts';
import { TopicGaps } from '../../src/delivery/topic-gaps.ts';

function gap(topic: number, seq: number, reason: Gap['reason'] = 'slow_consumer'): Gap {
  return { topic, slot: 0, fromSeq: seq, toSeq: seq, count: 1, reason };
}

describe('TopicGaps', () => {
  it('gives them in the order in which they end, one a topic and reason that follows another', () => {
    const gaps = new TopicGaps();
    for (const each of [gap(1, 1), gap(2, 2), gap(1, 3), gap(1, 5, 'unsubscribed'), gap(2, 4)]) gaps.add(each);
    expect([...gaps.all()]).toHaveLength(3);
    expect(gaps.take(() => true)).toEqual([
      { ...gap(1, 1), toSeq: 3, count: 2 },
      { ...gap(2, 2), toSeq: 4, count: 2 },
      gap(1, 5, 'unsubscribed'),
    ]);
    expect(gaps.isEmpty).toBe(true);
  });

  it('keeps those that are not asked for', () => {
    const gaps = new TopicGaps();
    for (const topic of [1, 2, 3]) gaps.add(gap(topic, topic));
    expect(gaps.take((topic) => topic !== 2)).toEqual([gap(1, 1), gap(3, 3)]);
    expect(gaps.isEmpty).toBe(false);
    expect(gaps.take(() => true)).toEqual([gap(2, 2)]);
    expect(gaps.take(() => true)).toEqual([]);
  });
});

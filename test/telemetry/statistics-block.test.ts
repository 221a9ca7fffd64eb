import { describe, expect, it } from 'vitest';
import { DROP_REASONS, dropReasonIndex } from '../../src/telemetry/drop-reasons.ts';
import { HISTOGRAM_BUCKETS, LATENCY_US_MAX } from '../../src/telemetry/histogram.ts';
import {
  CLOSE_SLOTS,
  COUNTERS,
  DATA_TYPE_NAMES,
  DATA_TYPE_SLOTS,
  dataTypeSlot,
  GAUGES,
  StatisticsBlock,
} from '../../src/telemetry/statistics-block.ts';

function block(): StatisticsBlock {
  return new StatisticsBlock(StatisticsBlock.allocate());
}

describe('a statistics block', () => {
  it('keeps every figure in a place of its own', () => {
    const statistics = block();
    const names = [...COUNTERS, ...GAUGES];
    names.forEach((name, index) => {
      statistics.add(name, index + 1);
    });
    for (let row = 0; row < CLOSE_SLOTS; row++) for (let n = 0; n <= row; n++) statistics.addClose(row);
    for (let slot = 0; slot < DATA_TYPE_SLOTS; slot++) {
      statistics.addDeliveries(slot, slot + 1, 10, slot);
      statistics.addMerged(slot, 100 + slot);
      DROP_REASONS.forEach((_, reason) => {
        statistics.addDropped(slot, reason, 1_000 * (reason + 1) + slot);
      });
    }

    names.forEach((name, index) => {
      expect(statistics.get(name)).toBe(index + 1);
    });
    expect([...statistics.closes()]).toEqual(Array.from({ length: CLOSE_SLOTS }, (_, row) => row + 1));
    for (let slot = 0; slot < DATA_TYPE_SLOTS; slot++) {
      const count = slot + 1;
      expect(statistics.deliveries(slot)).toEqual({ count, bytes: count * 10, latencySumUs: count * slot });
      const counted = [...statistics.latencyBuckets(slot)].map((n, bucket) => [bucket, n]).filter(([, n]) => n !== 0);
      expect(counted).toEqual([[slot, count]]);
      expect(statistics.merged(slot)).toBe(100 + slot);
      const dropped = DROP_REASONS.map((_, reason) => statistics.dropped(slot, reason));
      expect(dropped).toEqual(DROP_REASONS.map((_, reason) => 1_000 * (reason + 1) + slot));
    }
  });

  it('is seen by all who hold a view on its memory', () => {
    const memory = StatisticsBlock.allocate();
    const writer = new StatisticsBlock(memory);
    const reader = new StatisticsBlock(memory);
    writer.add('commands', 3);
    writer.addDeliveries(0, 2, 100, 50);
    expect(reader.get('commands')).toBe(3);
    expect(reader.deliveries(0)).toEqual({ count: 2, bytes: 200, latencySumUs: 100 });
  });

  it('refuses memory of another size', () => {
    expect(() => new StatisticsBlock(new SharedArrayBuffer(8))).toThrow(/size of its layout/);
  });

  it('keeps its counters and forgets its gauges when the thread has ended', () => {
    const statistics = block();
    for (const name of [...COUNTERS, ...GAUGES]) statistics.add(name, 5);
    statistics.resetGauges();
    for (const name of COUNTERS) expect(statistics.get(name)).toBe(5);
    for (const name of GAUGES) expect(statistics.get(name)).toBe(0);
  });

  it('adds up what was merged and dropped', () => {
    const statistics = block();
    statistics.addMerged(1, 3);
    statistics.addMerged(1, 4);
    const lapped = dropReasonIndex('shard_lapped');
    statistics.addDropped(1, lapped, 5);
    statistics.addDropped(1, lapped, 6);
    expect([statistics.merged(1), statistics.dropped(1, lapped)]).toEqual([7, 11]);
    expect([statistics.merged(0), statistics.dropped(1, dropReasonIndex('slow_consumer'))]).toEqual([0, 0]);
  });

  it.each([-1, DROP_REASONS.length])(
    'refuses a drop with the reason %d, which would count as something else',
    (reason) => {
      expect(() => block().addDropped(0, reason, 1)).toThrow(/one of the reasons/);
    },
  );

  it('hands out closes that do not change any more', () => {
    const statistics = block();
    const before = statistics.closes();
    statistics.addClose(1);
    expect(before[1]).toBe(0);
    expect(statistics.closes()[1]).toBe(1);
  });

  it('counts a row that the table does not have yet in the last slot', () => {
    const statistics = block();
    statistics.addClose(CLOSE_SLOTS + 5);
    expect(statistics.closes()[CLOSE_SLOTS - 1]).toBe(1);
  });

  it.each([-5, Number.NaN, Number.NEGATIVE_INFINITY])('counts a latency of %d µs as 0', (latencyUs) => {
    const statistics = block();
    statistics.addDeliveries(0, 1, 10, latencyUs);
    statistics.addDeliveries(0, 1, 10, 40);
    expect(statistics.deliveries(0).latencySumUs).toBe(40);
    expect(statistics.latencyBuckets(0)[0]).toBe(1);
  });

  it.each([LATENCY_US_MAX, 1e15, Number.POSITIVE_INFINITY])('counts a latency of %d µs as the longest', (latencyUs) => {
    const statistics = block();
    statistics.addDeliveries(0, 2, 10, latencyUs);
    expect(statistics.deliveries(0).latencySumUs).toBe(2 * LATENCY_US_MAX);
    expect(statistics.latencyBuckets(0)[HISTOGRAM_BUCKETS - 1]).toBe(2);
  });
});

describe('dataTypeSlot', () => {
  it('gives each known type its own slot', () => {
    expect(DATA_TYPE_NAMES.map(dataTypeSlot)).toEqual([...DATA_TYPE_NAMES.keys()]);
    expect(DATA_TYPE_NAMES.length).toBeLessThanOrEqual(DATA_TYPE_SLOTS);
  });

  it.each(['liquidation', '', 'constructor', '__proto__'])('gathers the type "%s" under other', (type) => {
    expect(DATA_TYPE_NAMES[dataTypeSlot(type)]).toBe('other');
  });
});

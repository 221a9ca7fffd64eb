import { describe, expect, it } from 'vitest';
import { type BlockSnapshot, blockOf, snapshotOf } from '../../src/telemetry/block-snapshot.ts';
import { DROP_REASONS } from '../../src/telemetry/drop-reasons.ts';
import {
  COUNTERS,
  DATA_TYPE_NAMES,
  dataTypeSlot,
  GAUGES,
  StatisticsBlock,
} from '../../src/telemetry/statistics-block.ts';

function filledBlock(): StatisticsBlock {
  const block = new StatisticsBlock(StatisticsBlock.allocate());
  for (const [index, name] of COUNTERS.entries()) block.add(name, index + 1);
  for (const [index, name] of GAUGES.entries()) block.set(name, 1000 + index);
  for (const row of [0, 3, 3, 31]) block.addClose(row);
  for (const slot of DATA_TYPE_NAMES.keys()) {
    block.addDeliveries(slot, slot + 1, 100, 10 ** slot);
    block.addMerged(slot, slot + 5);
    for (const reason of DROP_REASONS.keys()) block.addDropped(slot, reason, 10 * slot + reason);
  }
  return block;
}

/** To another process and back. */
function travelled(snapshot: object) {
  return blockOf(JSON.parse(JSON.stringify(snapshot)) as BlockSnapshot);
}

describe('the snapshot of a block', () => {
  it('tells all that the block does', () => {
    const block = filledBlock();
    const told = travelled(snapshotOf(block));
    for (const name of [...COUNTERS, ...GAUGES]) expect([name, told.get(name)]).toEqual([name, block.get(name)]);
    expect(told.closes()).toEqual(block.closes());
    for (const slot of DATA_TYPE_NAMES.keys()) {
      expect(told.deliveries(slot)).toEqual(block.deliveries(slot));
      expect(told.merged(slot)).toBe(block.merged(slot));
      expect(told.latencyBuckets(slot)).toEqual(block.latencyBuckets(slot));
      for (const reason of DROP_REASONS.keys()) expect(told.dropped(slot, reason)).toBe(block.dropped(slot, reason));
    }
  });

  it('is 0 in what another version does not tell of', () => {
    const told = travelled({ scalars: {}, closes: [1], dataTypes: {} });
    expect([told.get('commands'), told.closes()[0], told.closes()[1]]).toEqual([0, 1, 0]);
    expect(told.deliveries(0)).toEqual({ count: 0, bytes: 0, latencySumUs: 0 });
    expect([told.merged(0), told.dropped(0, 0), told.latencyBuckets(0).every((count) => count === 0)]).toEqual([
      0,
      0,
      true,
    ]);
  });

  it('counts data types among the others that only another version knows', () => {
    const { dataTypes, ...rest } = snapshotOf(filledBlock());
    const told = travelled({ ...rest, closes: Array(99).fill(1), dataTypes: { ...dataTypes, news: dataTypes.trade } });
    expect(told.deliveries(dataTypeSlot('other')).count).toBe(6 + 1);
    expect(told.merged(dataTypeSlot('other'))).toBe(10 + 5);
    expect(told.deliveries(dataTypeSlot('trade')).count).toBe(1);
    expect(told.closes()).toHaveLength(32);
  });
});

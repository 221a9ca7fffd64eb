import { beforeEach, describe, expect, it } from 'vitest';
import { CLOSES } from '../../src/connection/close-codes.ts';
import { Aggregator } from '../../src/telemetry/aggregator.ts';
import { DROP_REASONS, dropReasonIndex } from '../../src/telemetry/drop-reasons.ts';
import { dataTypeSlot } from '../../src/telemetry/statistics-block.ts';
import { FakeAdminContext, FakeInstruments } from '../support/fake-admin-context.ts';

let context: FakeAdminContext;
let aggregator: Aggregator;

beforeEach(() => {
  context = new FakeAdminContext();
  aggregator = new Aggregator(context, CLOSES, new FakeInstruments());
});

describe('the account of deliveries', () => {
  it('is all 0 at the start, with every reason for a drop', () => {
    const none = { merged: 0, delivered: 0, pending: 0, behind: 0, lagMsMax: 0, fellBehind: 0, caughtUp: 0 };
    expect(aggregator.deliveryAccount()).toEqual({
      ...none,
      dropped: Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])),
      gaps: 0,
      snapshots: 0,
      resumes: { accepted: 0, refused: 0 },
      replayed: 0,
    });
  });

  it('adds up shards and data types', () => {
    for (const block of context.blocks()) {
      block.add('messagesForwarded', 100);
      for (const type of ['ticker', 'depth', 'liquidation']) block.addMerged(dataTypeSlot(type), 2);
      for (const type of ['trade', 'data']) block.addDropped(dataTypeSlot(type), dropReasonIndex('slow_consumer'), 3);
      block.addDropped(dataTypeSlot('trade'), dropReasonIndex('replay_overrun'), 1);
      block.set('pendingMessages', 10);
      block.set('connectionsBehind', 2);
      block.add('fellBehind', 5);
      block.add('caughtUp', 3);
      block.add('gapsSent', 4);
      block.add('snapshotsSent', 6);
      block.add('resumesAccepted', 7);
      block.add('resumesRefused', 8);
      block.add('replayed', 9);
    }
    expect(aggregator.deliveryAccount()).toMatchObject({
      delivered: 200,
      merged: 12,
      dropped: { slow_consumer: 12, replay_overrun: 2, shard_lapped: 0 },
      pending: 20,
      behind: 4,
      fellBehind: 10,
      caughtUp: 6,
      gaps: 8,
      snapshots: 12,
      resumes: { accepted: 14, refused: 16 },
      replayed: 18,
    });
  });

  it('tells the lag of the slowest connection of all shards', () => {
    context.block(0).set('lagMsMax', 900);
    context.block(1).set('lagMsMax', 400);
    expect(aggregator.deliveryAccount().lagMsMax).toBe(900);
  });
});

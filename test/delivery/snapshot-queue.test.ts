import { describe, expect, it } from 'vitest';
import { PendingSet } from '../../src/delivery/pending-set.ts';
import { SnapshotQueue } from '../../src/delivery/snapshot-queue.ts';
import { inShort } from '../support/delivery-client.ts';
import { DeliveryStage } from '../support/delivery-stage.ts';
import { textsOf } from '../support/received-frames.ts';

const BOOK = { bids: [[1, 1]], asks: [], isSnapshot: true };

function queueOf(stage: DeliveryStage, ...topics: number[]): SnapshotQueue {
  return new SnapshotQueue(topics, stage.table, stage.values);
}

/** All that is left in it, in short. */
function rest(queue: SnapshotQueue, pending = new PendingSet()): string[] {
  const told: string[] = [];
  for (let next = queue.next(pending); next !== undefined; next = queue.next(pending)) {
    expect(next).toMatchObject({ kind: 'snapshot', merged: 0, fromSeq: next.toSeq });
    told.push(inShort(JSON.parse(textsOf(next.bytes)[0]!)));
  }
  return told;
}

/** A stage with a ticker of A, a trade of B and a book of C, in this order. */
function stageOfThree(): DeliveryStage {
  const stage = new DeliveryStage();
  stage.tell('trade', 'B');
  stage.tell('ticker', 'A');
  stage.tell('trade', 'B');
  stage.tell('depth', 'C', BOOK);
  return stage;
}

describe('SnapshotQueue', () => {
  it('tells latest values, that of the topic that has been quiet for longest first', () => {
    const stage = stageOfThree();
    expect(rest(queueOf(stage, 2, 0, 1))).toEqual(['A 2 <0 snapshot', 'B 3 <0 snapshot', 'C 4 <0 snapshot']);
  });

  it('tells the values of the moment at which they were asked for', () => {
    const stage = stageOfThree();
    const queue = queueOf(stage, 0, 1);
    stage.tell('ticker', 'A');
    stage.tell('trade', 'B');
    expect(rest(queue)).toEqual(['A 2 <0 snapshot', 'B 3 <0 snapshot']);
  });

  it('has the full book told by what is pending, where it has moved on', () => {
    const stage = stageOfThree();
    const queue = queueOf(stage, 2);
    const pending = new PendingSet();
    stage.tell('depth', 'C', { bids: [[2, 1]], asks: [] });
    expect(rest(queue, pending)).toEqual([]);
    expect([...pending.broken]).toEqual([2]);
  });

  it('leaves out what has been overwritten since', () => {
    const stage = stageOfThree();
    const queue = queueOf(stage, 1);
    stage.goRound(2, 'A');
    stage.tell('ticker', 'A');
    expect(rest(queue)).toEqual([]);
  });

  it('tells a value that was moved ahead meanwhile', () => {
    const stage = stageOfThree();
    const queue = queueOf(stage, 1, 2);
    stage.goRound(2, 'Z');
    expect(rest(queue)).toEqual(['A 2 <0 snapshot', 'C 4 <0 snapshot']);
  });

  it('mends what ended with a gap', () => {
    const stage = stageOfThree();
    const pending = new PendingSet();
    for (const topic of [0, 1, 2]) pending.setBroken(topic);
    rest(queueOf(stage, 0, 2), pending);
    expect([...pending.broken]).toEqual([1]);
  });

  it('knows nothing of topics that have not been published', () => {
    const stage = stageOfThree();
    expect(rest(queueOf(stage, 7))).toEqual([]);
  });

  it('takes up what another one still has, behind its own', () => {
    const stage = stageOfThree();
    const [first, second] = [queueOf(stage, 0), queueOf(stage, 2, 1)];
    second.next(new PendingSet());
    first.append(second);
    expect(rest(first)).toEqual(['B 3 <0 snapshot', 'C 4 <0 snapshot']);
  });

  it('leaves out topics that are not wanted any more', () => {
    const stage = stageOfThree();
    const queue = queueOf(stage, 0, 1, 2);
    queue.next(new PendingSet());
    queue.retain((topic) => topic === 2);
    expect(rest(queue)).toEqual(['C 4 <0 snapshot']);
  });
});

import { expect, it } from 'vitest';
import { type HeldFrame, holdFrame } from '../../src/delivery/held-frame.ts';
import { DeliveryStage } from '../support/delivery-stage.ts';
import { textsOf } from '../support/received-frames.ts';

it('a held frame is a copy of the record, and stays what it is when the receiver reads on', () => {
  const stage = new DeliveryStage();
  const held: HeldFrame[] = [];
  stage.publish('trade', 'A', { price: 'first' }, 17);
  stage.publish('ticker', 'B');
  stage.publish('trade', 'A', { price: 'second' }, 18);
  stage.read((record) => held.push(holdFrame(record)));
  stage.goRound();
  expect(held.map(({ bytes: _, ...fields }) => fields)).toEqual([
    { topic: 0, slot: 0, policy: 0, seq: 1, prevSeq: 0, ordinal: 1, dueUs: 17 },
    { topic: 1, slot: 1, policy: 1, seq: 2, prevSeq: 0, ordinal: 1, dueUs: 0 },
    { topic: 0, slot: 0, policy: 0, seq: 3, prevSeq: 1, ordinal: 2, dueUs: 18 },
  ]);
  const texts = held.flatMap(({ bytes }) => textsOf(bytes));
  expect(texts.map((text) => JSON.parse(text).payload.data)).toEqual([
    { price: 'first' },
    { n: 2 },
    { price: 'second' },
  ]);
  // Not a view of something larger, which would be held as long.
  for (const { bytes } of held) expect(bytes.buffer.byteLength).toBe(bytes.length);
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { BookReader } from '../../src/delivery/book-reader.ts';
import { DeliveryStage } from '../support/delivery-stage.ts';

afterEach(() => vi.restoreAllMocks());

const update = (price: number, size = 1) => ({ bids: [[price, size]], asks: [] });
const whole = (...prices: number[]) => ({ bids: prices.map((price) => [price, 1]), asks: [], isSnapshot: true });

function bids(reader: BookReader, topic = 0): unknown {
  return (reader.message(topic)?.payload.data as { bids: unknown } | undefined)?.bids;
}

/** Texts that are parsed while `work` is done. */
function parsedBy(work: () => void): number {
  const parse = vi.spyOn(JSON, 'parse');
  parse.mockClear();
  work();
  return parse.mock.calls.length;
}

describe('BookReader', () => {
  it('builds a book up from its first update, or from the last whole one', () => {
    const stage = new DeliveryStage();
    const reader = new BookReader(stage);
    stage.tell('depth', 'A', update(1));
    stage.tell('depth', 'A', update(2));
    expect(bids(reader)).toEqual([
      [2, 1],
      [1, 1],
    ]);
    stage.tell('depth', 'A', whole(5, 4));
    stage.tell('depth', 'A', update(5, 0));
    expect(bids(reader)).toEqual([[4, 1]]);
    expect(reader.levels(0)).toBe(1);
  });

  it('reads only what has come since it was asked last', () => {
    const stage = new DeliveryStage();
    const reader = new BookReader(stage);
    stage.tell('depth', 'A', whole(1));
    for (let price = 2; price < 20; price++) stage.tell('depth', 'A', update(price));
    expect(parsedBy(() => reader.levels(0))).toBe(19);
    expect(parsedBy(() => reader.levels(0))).toBe(0);
    for (let price = 20; price < 23; price++) stage.tell('depth', 'A', update(price));
    expect(parsedBy(() => reader.message(0))).toBe(3);
    expect(reader.levels(0)).toBe(22);
  });

  it('reads no further back than a whole book', () => {
    const stage = new DeliveryStage();
    const reader = new BookReader(stage);
    stage.tell('depth', 'A', whole(1));
    reader.levels(0);
    for (let price = 2; price < 20; price++) stage.tell('depth', 'A', update(price));
    stage.tell('depth', 'A', whole(50));
    stage.tell('depth', 'A', update(51));
    expect(parsedBy(() => reader.levels(0))).toBe(2);
    expect(reader.levels(0)).toBe(2);
  });

  it('begins anew at a key frame, and forgets what was taken away in front of it', () => {
    // Brought up to date through a key frame as if it were an update, a held book kept levels that the frame did not name.
    const stage = new DeliveryStage();
    const reader = new BookReader(stage);
    stage.tell('depth', 'A', update(1));
    stage.tell('depth', 'A', update(2));
    expect(reader.levels(0)).toBe(2);
    stage.tell('depth', 'A', update(1, 0));
    stage.goRound(2);
    expect(bids(reader)).toEqual([[2, 1]]);
    stage.tell('depth', 'A', update(3));
    expect(bids(reader)).toEqual([
      [3, 1],
      [2, 1],
    ]);
  });

  it('is as of the newest publication of the topic, also where that is no book', () => {
    const stage = new DeliveryStage();
    const reader = new BookReader(stage);
    stage.tell('depth', 'A', { ...whole(1), updateTime: 7 });
    stage.tell('depth', 'A', { note: 'maintenance' });
    expect(reader.message(0)).toMatchObject({
      seq: 2,
      payload: { symbol: 'A', data: { bids: [[1, 1]], asks: [], updateTime: 7, isSnapshot: true } },
    });
  });

  it('holds the books that were wanted last, sixty-four of them', () => {
    const stage = new DeliveryStage();
    const reader = new BookReader(stage);
    for (let topic = 0; topic < 65; topic++) stage.tell('depth', `S${topic}`, whole(topic));
    for (let topic = 0; topic < 64; topic++) reader.levels(topic);
    reader.levels(0);
    reader.levels(64);
    expect(parsedBy(() => reader.levels(0))).toBe(0);
    expect(parsedBy(() => reader.levels(1))).toBe(1);
    reader.clear();
    expect(parsedBy(() => reader.levels(64))).toBe(1);
  });

  it('knows no book of other topics', () => {
    const stage = new DeliveryStage();
    const reader = new BookReader(stage);
    stage.tell('trade', 'A');
    expect([reader.message(0), reader.levels(0), reader.levels(1)]).toEqual([undefined, undefined, undefined]);
  });
});

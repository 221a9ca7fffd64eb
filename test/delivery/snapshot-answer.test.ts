import { describe, expect, it } from 'vitest';
import { snapshotAnswer } from '../../src/delivery/snapshot-answer.ts';
import { DeliveryStage } from '../support/delivery-stage.ts';

const EVERYTHING = { exchanges: [], symbols: [], dataTypes: [] };

function answer(stage: DeliveryStage, terms = EVERYTHING, asked: object = {}) {
  return snapshotAnswer(terms, asked, stage.catalog, stage.values) as { data: Record<string, unknown>[] };
}

describe('snapshotAnswer', () => {
  it('gives the payloads of latest values, books whole, and repeats what was asked', () => {
    const stage = new DeliveryStage();
    stage.tell('ticker', 'A', { n: 1 });
    stage.tell('ticker', 'A', { n: 2 });
    stage.tell('depth', 'B', { bids: [[1, 1]], asks: [], isSnapshot: true });
    stage.tell('depth', 'B', { bids: [[2, 1]], asks: [] });
    const got = answer(stage, EVERYTHING, { symbols: ['x'] });
    expect(got).toEqual({
      symbols: ['x'],
      data: [
        { type: 'ticker', exchange: 'binance', symbol: 'A', timestamp: 1, data: { n: 2 } },
        {
          type: 'depth',
          exchange: 'binance',
          symbol: 'B',
          timestamp: 1,
          data: {
            bids: [
              [2, 1],
              [1, 1],
            ],
            asks: [],
            isSnapshot: true,
          },
        },
      ],
      timestamp: expect.any(Number),
    });
  });

  it('asks for what the filter matches alone', () => {
    const stage = new DeliveryStage();
    for (const symbol of ['A', 'B']) stage.tell('trade', symbol);
    expect(answer(stage, { ...EVERYTHING, symbols: ['B'] as never[] }).data.map(({ symbol }) => symbol)).toEqual(['B']);
    expect(answer(stage, { ...EVERYTHING, symbols: ['C'] as never[] })).not.toHaveProperty('truncated');
  });

  it('says that there is more than it gives: too much of it', () => {
    const stage = new DeliveryStage({ ringBytes: 16 * 1024 * 1024 });
    for (let i = 0; i < 40; i++) stage.tell('trade', `S${i}`, 'x'.repeat(30_000));
    const got = answer(stage);
    expect(got).toHaveProperty('truncated', true);
    expect(got.data.length).toBeGreaterThan(30);
    expect(JSON.stringify(got).length).toBeLessThan(1.1 * 1024 * 1024);
  });

  it('says that there is more than it gives: what is not kept', () => {
    const stage = new DeliveryStage();
    // More than the ring keeps of latest values.
    for (let i = 0; i < 40; i++) stage.tell('ticker', `S${i}`, 'x'.repeat(1_000));
    stage.goRound(2, 'S39');
    const got = answer(stage);
    expect(got.data.length).toBeLessThan(41);
    expect(got).toHaveProperty('truncated', true);
  });
});

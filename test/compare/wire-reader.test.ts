import { describe, expect, it } from 'vitest';
import { topicForm } from '../../src/compare/topic-form.ts';
import { readWireMessage } from '../../src/compare/wire-reader.ts';

const TRADE = { type: 'trade', exchange: 'b', symbol: 'X', timestamp: 1, data: { id: 1 } };

describe('readWireMessage', () => {
  it.each([
    ['flat', TRADE],
    [
      'flat, with what belongs to the server',
      { ...TRADE, seq: 5, prevSeq: 4, receivedAt: 6, latency: 7, metadata: {} },
    ],
    ['in an envelope', { type: 'trade', payload: TRADE, timestamp: 9 }],
    ['in an envelope of another type', { type: 'market_data', payload: TRADE, timestamp: 9 }],
    [
      'in an envelope of Tickcast',
      { type: 'trade', payload: { ...TRADE, receivedAt: 8 }, timestamp: 9, seq: 5, prevSeq: 4 },
    ],
  ])('reads a publication %s', (_, message) => {
    expect(readWireMessage(JSON.stringify(message))).toEqual({
      kind: 'publication',
      type: 'trade',
      payload: TRADE,
      merged: 0,
    });
  });

  it.each([
    [{ type: 'trade', payload: { symbol: 'X' } }, 'trade'],
    [{ type: 'data', payload: { symbol: 'X' }, seq: 1 }, undefined],
    [{ type: 'data', symbol: 'X' }, undefined],
    [{ symbol: 'X' }, undefined],
    [{ type: 'error', payload: { type: 'error', data: 1 }, seq: 1 }, 'error'],
  ])('takes the type of %j to be %s', (message, type) => {
    expect(readWireMessage(JSON.stringify(message))).toMatchObject({ kind: 'publication', type });
  });

  it('tells what a message stands for, and what will not come', () => {
    const merged = { type: 'ticker', payload: { symbol: 'X' }, seq: 5, prevSeq: 1, merged: 3 };
    expect(readWireMessage(JSON.stringify(merged))).toMatchObject({ kind: 'publication', merged: 3 });
    const gap = { type: 'gap', payload: { symbol: 'X', dataType: 'kline_1m', count: 4, reason: 'slow_consumer' } };
    expect(readWireMessage(JSON.stringify(gap))).toMatchObject({ kind: 'gap', type: 'kline_1m', count: 4 });
  });

  it.each([
    ['welcome', { type: 'welcome', payload: { connectionId: 'c' } }],
    ['binance_status', { type: 'binance_status', exchange: 'binance', data: {} }],
    ['snapshot', { type: 'snapshot', payload: { exchange: 'b', symbols: ['X'], data: [] } }],
    ['snapshot', { type: 'trade', payload: TRADE, seq: 1, prevSeq: 0, snapshot: true }],
    ['gap', { type: 'gap', payload: { symbol: 'X' } }],
    ['(none)', {}],
    ['status', { type: 'status', connected: true }],
  ])('passes over %s: %j', (type, message) => {
    expect(readWireMessage(JSON.stringify(message))).toMatchObject({ kind: 'other', type });
  });
});

describe('topicForm', () => {
  it.each([
    ['trades', { exchange: 'Binance', symbol: 'btc/usdt' }, ['binance', 'BTCUSDT', 'trade']],
    ['kline_1m', { symbol: 'X' }, [null, 'X', 'kline_1m']],
    ['kline', { data: { interval: '1M' } }, [null, null, 'kline_1M']],
    ['kline_1m', { data: { interval: '5m' } }, [null, null, 'kline_5m']],
    ['kline', { data: { interval: 5 } }, [null, null, 'kline']],
    ['ticker', { exchange: 5, symbol: ['X'], data: { interval: '1m' } }, [null, null, 'ticker']],
    [undefined, {}, [null, null, null]],
  ])('of %s %j', (type, payload, [exchange, symbol, dataType]) => {
    expect(topicForm(type, payload)).toEqual({ exchange, symbol, dataType });
  });
});

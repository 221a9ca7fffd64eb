import { describe, expect, it } from 'vitest';
import { identityOf } from '../../src/compare/identity.ts';
import { topicForm } from '../../src/compare/topic-form.ts';

function identify(type: string, data: unknown, timestamp: unknown = 5) {
  const payload = { exchange: 'b', symbol: 'X', timestamp, ...(data === undefined ? {} : { data }) };
  return identityOf(topicForm(type, payload), payload);
}

describe('the identity of a publication', () => {
  it.each([
    ['trade', { id: 7 }, 'number 7'],
    ['trades', { id: '7' }, 'number 7'],
    ['trade', { tradeId: 8 }, 'number 8'],
    ['trade', { t: 9, p: '1' }, 'number 9'],
    ['depth', { lastUpdateId: 10, bids: [] }, 'number 10'],
    ['orderbook', { u: 11, U: 9 }, 'number 11'],
  ])('is its number: %s %j', (type, data, exact) => {
    expect(identify(type, data)).toEqual({ exact, moment: undefined, content: undefined });
  });

  it.each([
    ['trade', { id: '', price: 1 }],
    ['trade', { id: null, price: 1 }],
    ['ticker', { id: 7 }],
    ['kline', { t: 7, interval: '1m' }],
    ['odd', [1, 2]],
    ['odd', 'text'],
    ['odd', undefined],
  ])('is content and timestamp where there is none: %s %j', (type, data) => {
    const { exact, moment, content } = identify(type, data);
    expect({ exact, moment }).toEqual({ exact: `${content} 5`, moment: '5' });
    expect(identify(type, data, 6).content).toBe(content);
  });

  it('has the same content whatever the order of keys, and numbers as texts', () => {
    const one = identify('ticker', { a: 1, b: { c: ['2.50', null], d: true } });
    expect(identify('ticker', { b: { d: true, c: [2.5, null] }, a: '1.0' })).toEqual(one);
    expect(identify('ticker', { b: { d: true, c: [2.5, 'null'] }, a: '1.0' }).exact).not.toBe(one.exact);
  });

  it('tells long numbers in texts apart, which a double does not', () => {
    const [one, other] = ['9007199254740992', '9007199254740993'].map((n) => identify('odd', { n }).content);
    expect(one).not.toBe(other);
  });

  it('is in a moment: of a book the time of its update, of a kline without a timestamp its candle', () => {
    expect(identify('depth', { updateTime: 4, bids: [] }).moment).toBe('4');
    const candle = { openTime: 60, closed: false, interval: '1m' };
    expect(identify('kline', candle).moment).toBe('5');
    expect(identityOf(topicForm('kline', {}), { data: candle }).moment).toBe('60 false');
    expect(identityOf(topicForm('odd', {}), { data: {} }).moment).toBeUndefined();
  });

  it('does not depend on where a kline says its interval', () => {
    const [inData, inType] = [
      identify('kline', { openTime: 1, interval: '1m' }),
      identify('kline_1m', { openTime: 1 }),
    ];
    expect(inData).toEqual(inType);
  });
});

import { describe, expect, it } from 'vitest';
import { differencesOf } from '../../src/compare/differences.ts';

const RULES = { isMergedBook: false };

function differences(old: string, now: string, type = 'odd'): string[] {
  const sent = (text: string) => ({ type, payload: JSON.parse(text) as Record<string, unknown> });
  return differencesOf(sent(old), sent(now), RULES).map(
    ({ kind, path, old: before, new: after }) => `${kind} ${path}: ${JSON.stringify(before)} ${JSON.stringify(after)}`,
  );
}

describe('differencesOf', () => {
  it.each([
    ['{"data":{"a":1,"b":[1,{"c":2}]}}', '{"data":{"b":[1,{"c":2}],"a":1}}', []],
    ['{"data":{"a":1}}', '{"data":{"a":2}}', ['value data.a: 1 2']],
    ['{"data":{"a":1}}', '{"data":{}}', ['value data.a: 1 undefined']],
    ['{"data":{}}', '{"data":{"a":null}}', ['value data.a: undefined null']],
    ['{"data":{"a":{}}}', '{"data":{"a":[]}}', ['value data.a: {} []']],
    ['{"data":{"a":"1.50"}}', '{"data":{"a":1.5}}', ['type data.a: "1.50" 1.5']],
    ['{"data":{"a":"1.50"}}', '{"data":{"a":"1.5"}}', ['value data.a: "1.50" "1.5"']],
    ['{"data":{"a":""}}', '{"data":{"a":0}}', ['value data.a: "" 0']],
    ['{"data":{"a":true}}', '{"data":{"a":"true"}}', ['value data.a: true "true"']],
    [
      '{"data":{"a":[[1,2],[3,4]]}}',
      '{"data":{"a":[[1,5],[3,"4"]]}}',
      ['value data.a[][]: 2 5', 'type data.a[][]: 4 "4"'],
    ],
    ['{"data":{"a":[1]}}', '{"data":{"a":[1,2,3]}}', ['value data.a[]: undefined 2']],
    ['{"timestamp":0}', '{"timestamp":"1970-01-01T00:00:00.000Z"}', ['type timestamp: 0 "1970-01-01T00:00:00.000Z"']],
    ['{"timestamp":1}', '{"timestamp":2}', ['value timestamp: 1 2']],
    ['{"timestamp":"x"}', '{"timestamp":1}', ['value timestamp: "x" 1']],
    ['{"exchange":"A"}', '{"exchange":"a"}', ['spelling exchange: "A" "a"']],
    ['{"exchange":1}', '{"exchange":2}', ['value exchange: 1 2']],
  ])('of %s and %s', (old, now, found) => {
    expect(differences(old, now)).toEqual(found);
  });

  it('are those of fields that the publications have themselves', () => {
    const found = ['value data.constructor: undefined 1', 'value data.__proto__: undefined {"x":1}'];
    expect(differences('{"data":{}}', '{"data":{"constructor":1,"__proto__":{"x":1}}}')).toEqual(found);
  });

  it('are as many as can be told', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`key${n}`, n]));
    expect(differences('{"data":{}}', JSON.stringify({ data: many }))).toHaveLength(200);
  });

  it.each([
    ['trade', '{"data":{"m":true}}', '{"data":{"m":true},"side":"sell"}', 'derived side: undefined "sell"'],
    ['trade', '{"data":{"q":2},"volume":"2"}', '{"data":{"q":2}}', 'derived volume: "2" undefined'],
    ['24hrTicker', '{"data":{"P":"3"}}', '{"data":{"P":"3"},"change24h":"3"}', 'derived change24h: undefined "3"'],
    ['trade', '{"data":{"price":1}}', '{"data":{"price":1},"price":1}', 'value price: undefined 1'],
    ['quote', '{"data":{"price":1}}', '{"data":{"price":1},"price":"1"}', 'value price: undefined "1"'],
    ['kline_5m', '{"data":{}}', '{"data":{"interval":"5m"}}', 'derived data.interval: undefined "5m"'],
    ['kline_5m', '{"data":{}}', '{"data":{"interval":"1m"}}', 'value data.interval: undefined "1m"'],
  ])('tell what a %s only says once more: %s and %s', (type, old, now, found) => {
    expect(differences(old, now, type)).toEqual([found]);
  });
});

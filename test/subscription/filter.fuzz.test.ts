import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterKey, isFilterProblem, parseFilter, termCount, termsMatch } from '../../src/subscription/filter.ts';
import { seedOfRun } from '../support/seeded-random.ts';

const KEYS = [
  'exchange',
  'exchanges',
  'symbols',
  'symbol',
  'dataTypes',
  'types',
  'dataType',
  '__proto__',
  'constructor',
];
const TOPIC = { exchange: 'binance', symbol: 'BTCUSDT', dataType: 'trade' };

describe('parseFilter, whatever a client sends', () => {
  it('answers with a filter that can be matched, or says what is wrong, and pollutes nothing', () => {
    const value = fc.oneof(fc.jsonValue(), fc.array(fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 1 }))));
    const payload = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...KEYS), fc.string()), value), { maxLength: 6 });
    fc.assert(
      fc.property(payload, (entries) => {
        // By way of JSON, as on the wire: a key named __proto__ becomes a property like any other.
        const text = `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${JSON.stringify(item)}`).join()}}`;
        const answer = parseFilter(JSON.parse(text) as Record<string, unknown>);
        if (isFilterProblem(answer)) {
          expect(KEYS).toContain(answer.key);
          expect(answer.problem).not.toBe('');
        } else {
          expect(termCount(answer.terms)).toBeGreaterThan(0);
          expect(filterKey(answer.terms)).toContain('[');
          expect(typeof termsMatch(answer.terms, TOPIC)).toBe('boolean');
          expect(KEYS).toEqual(expect.arrayContaining(Object.keys(answer.given)));
        }
        expect(Object.getOwnPropertyNames(Object.prototype).toSorted()).toEqual(CLEAN);
      }),
      { seed: seedOfRun('filter fuzz'), numRuns: 3_000, interruptAfterTimeLimit: 10_000 },
    );
  });
});

const CLEAN = Object.getOwnPropertyNames(Object.prototype).toSorted();

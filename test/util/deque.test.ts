import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deque } from '../../src/util/deque.ts';

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('push' as const), count: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('shift' as const), count: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drain' as const), count: fc.constant(1) }) },
);

describe('Deque', () => {
  it('gives what was pushed in the order in which it came, like an array', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const deque = new Deque<number>();
        const model: number[] = [];
        let next = 0;
        for (const { do: action, count } of steps) {
          for (let i = 0; i < count; i++) {
            if (action === 'push') {
              model.push(next);
              deque.push(next++);
            } else if (action === 'shift') {
              expect(deque.shift()).toBe(model.shift());
            } else {
              expect(deque.drain()).toEqual(model.splice(0));
            }
          }
          expect(deque.length).toBe(model.length);
          expect(model.map((_, index) => deque.at(index))).toEqual(model);
        }
      }),
    );
  });
});

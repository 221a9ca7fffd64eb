import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionCounter } from '../../src/control/connection-counter.ts';
import { withAtomicsHooks } from '../support/atomics-steps.ts';

describe('ConnectionCounter', () => {
  it('lets in as many as the limit says, wherever they come', () => {
    const memory = ConnectionCounter.allocate(3);
    const shards = [0, 1, 2].map(() => new ConnectionCounter(memory));
    expect([0, 1, 2, 0].map((shard) => shards[shard]!.enter(shard, 3))).toEqual([true, true, true, false]);
    shards[1]!.leave(1);
    expect(shards[0]!.enter(0, 3)).toBe(true);
    expect(shards[2]!.enter(2, 3)).toBe(false);
    expect(shards[0]!.total()).toBe(3);
  });

  it('counts without a limit where it is 0', () => {
    const counter = new ConnectionCounter(ConnectionCounter.allocate(1));
    for (let i = 0; i < 1_000; i++) expect(counter.enter(0, 0)).toBe(true);
    expect(counter.total()).toBe(1_000);
  });

  it('takes the share of a shard that has ended off the total', () => {
    const counter = new ConnectionCounter(ConnectionCounter.allocate(64));
    for (const shard of [0, 63, 63, 63]) counter.enter(shard, 0);
    counter.forget(63);
    expect(counter.total()).toBe(1);
    counter.forget(63);
    expect(counter.total()).toBe(1);
  });

  it('agrees with a list of connections after any sequence of changes', () => {
    const step = fc.record({ do: fc.constantFrom('enter' as const, 'enter', 'leave', 'forget'), shard: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), fc.nat(8), (steps, limit) => {
        const counter = new ConnectionCounter(ConnectionCounter.allocate(4));
        const open = [0, 0, 0, 0];
        const total = () => open.reduce((sum, count) => sum + count, 0);
        for (const { do: what, shard } of steps) {
          if (what === 'enter') {
            const isFree = limit === 0 || total() < limit;
            expect(counter.enter(shard, limit)).toBe(isFree);
            if (isFree) open[shard]!++;
          } else if (what === 'forget') {
            counter.forget(shard);
            open[shard] = 0;
          } else if (open[shard]! > 0) {
            counter.leave(shard);
            open[shard]!--;
          }
          expect(counter.total()).toBe(total());
        }
      }),
    );
  });

  // The mechanism: a shard that took a place before it looked, and gave it back, kept it from another in between.
  it('refuses nobody for a place that another shard was refused', () => {
    const memory = ConnectionCounter.allocate(2);
    const [one, other] = [new ConnectionCounter(memory), new ConnectionCounter(memory)];
    one.enter(0, 1);
    let entered: boolean | undefined;
    withAtomicsHooks(
      {
        after: () => {
          if (entered !== undefined) return;
          // Between the steps of the refusal a connection leaves, and the other shard has one for its place.
          other.leave(0);
          entered = other.enter(1, 1);
        },
      },
      () => one.enter(0, 1),
    );
    expect(entered).toBe(true);
    expect(one.total()).toBe(1);
  });

  it('lets in one of two that come at the same time for the last place, at whichever step they meet', () => {
    for (let meeting = 0; meeting < 4; meeting++) {
      const memory = ConnectionCounter.allocate(2);
      const [one, other] = [new ConnectionCounter(memory), new ConnectionCounter(memory)];
      let steps = 0;
      let second: boolean | undefined;
      const meet = () => {
        if (steps++ === meeting) second = other.enter(1, 1);
      };
      const first = withAtomicsHooks({ before: meet, after: meet }, () => one.enter(0, 1));
      second ??= other.enter(1, 1);
      expect([first, second].filter(Boolean)).toHaveLength(1);
      expect(one.total()).toBe(1);
      one.forget(first ? 0 : 1);
      expect(one.total()).toBe(0);
    }
  });
});

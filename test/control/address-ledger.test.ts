import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressLedger } from '../../src/control/address-ledger.ts';

describe('AddressLedger', () => {
  it('admits an address as often as it may, over all shards together', () => {
    const ledger = new AddressLedger(2);
    expect([ledger.admit(0, 'a'), ledger.admit(1, 'a'), ledger.admit(2, 'a')]).toEqual([true, true, false]);
    expect(ledger.admit(2, 'b')).toBe(true);
    ledger.leave(1, 'a');
    expect([ledger.admit(2, 'a'), ledger.admit(0, 'a')]).toEqual([true, false]);
  });

  it('keeps nothing where there is no limit', () => {
    const ledger = new AddressLedger(0);
    for (let i = 0; i < 100; i++) expect(ledger.admit(0, 'a')).toBe(true);
    expect(ledger.size).toBe(0);
    ledger.leave(0, 'a');
    expect(ledger.size).toBe(0);
  });

  it('gives the places of a shard that has ended back, and only those', () => {
    const ledger = new AddressLedger(2);
    ledger.admit(0, 'a');
    ledger.admit(1, 'a');
    ledger.admit(0, 'b');
    ledger.forget(0);
    expect(ledger.size).toBe(1);
    expect([ledger.admit(0, 'a'), ledger.admit(0, 'a')]).toEqual([true, false]);
  });

  it('takes no place back twice: a connection of an ended shard that leaves after all is not counted', () => {
    const ledger = new AddressLedger(1);
    ledger.admit(0, 'a');
    ledger.forget(0);
    ledger.admit(1, 'a');
    ledger.leave(0, 'a');
    ledger.forget(0);
    expect(ledger.admit(0, 'a')).toBe(false);
  });

  it('agrees with a list of connections after any sequence of changes, and is empty after the last', () => {
    const shard = fc.nat(2);
    const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '::1', '');
    const step = fc.record({
      do: fc.constantFrom('admit' as const, 'admit', 'admit', 'leave', 'forget'),
      shard,
      address,
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const ledger = new AddressLedger(3);
        let open: { shard: number; address: string }[] = [];
        const isOf = (one: { shard: number; address: string }) => (other: typeof one) =>
          one.shard === other.shard && one.address === other.address;
        for (const next of steps) {
          if (next.do === 'admit') {
            const isFree = open.filter((other) => other.address === next.address).length < 3;
            expect(ledger.admit(next.shard, next.address)).toBe(isFree);
            if (isFree) open.push(next);
          } else if (next.do === 'leave') {
            ledger.leave(next.shard, next.address);
            const place = open.findIndex(isOf(next));
            if (place >= 0) open.splice(place, 1);
          } else {
            ledger.forget(next.shard);
            open = open.filter((other) => other.shard !== next.shard);
          }
          expect(ledger.size).toBe(new Set(open.map((one) => one.address)).size);
        }
        for (const one of open) ledger.leave(one.shard, one.address);
        expect(ledger.size).toBe(0);
      }),
    );
  });
});

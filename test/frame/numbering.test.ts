import { describe, expect, it } from 'vitest';
import type { SourceNumber } from '../../src/dataflow/source-number.ts';
import { Numbering } from '../../src/frame/numbering.ts';

const number = (seq: number, follows = true, numbering = 'feed'): SourceNumber => ({ numbering, seq, follows });

function take(numbering: Numbering, given: SourceNumber | undefined) {
  const seq = numbering.next(given);
  const mayMiss = numbering.take(seq, given);
  return { seq, mayMiss };
}

describe('numbering', () => {
  it('counts from 1 where the source gives no numbers, under a name that no other has', () => {
    const numbering = new Numbering();
    expect([1, 2, 3].map(() => take(numbering, undefined))).toEqual([1, 2, 3].map((seq) => ({ seq, mayMiss: false })));
    expect(numbering).toMatchObject({ kind: 'own', seq: 3, holes: 0, name: { former: [] } });
    expect(numbering.name.epoch).toMatch(/^[0-9a-f]{12}$/);
    expect(new Numbering().name.epoch).not.toBe(numbering.name.epoch);
  });

  it('takes the numbers of the source, under a name that every gateway gives it', () => {
    const [one, other] = [new Numbering(), new Numbering()];
    take(one, number(1_000, false));
    take(one, number(1_001));
    take(other, number(1_001, false));
    expect(one.seq).toBe(1_001);
    expect(other).toMatchObject({ kind: 'source', seq: 1_001 });
    expect(other.name.epoch).toBe(one.name.epoch);
    const another = new Numbering();
    take(another, number(1_001, false, 'another feed'));
    expect(another.name.epoch).not.toBe(one.name.epoch);
  });

  it('goes by the name that it had before the first publication, too, wherever a client has come to', () => {
    const numbering = new Numbering();
    const { epoch } = numbering.name;
    take(numbering, number(7, false));
    expect(numbering.name.former).toEqual([{ epoch, upToSeq: Number.MAX_SAFE_INTEGER }]);
  });

  it('says where something may be missing: at the first number, and behind a hole', () => {
    const numbering = new Numbering();
    const given = [number(10, false), number(11), number(15, false), number(16), number(18)];
    expect(given.map((each) => take(numbering, each).mayMiss)).toEqual([true, false, true, false, false]);
    expect(numbering.holes).toBe(1);
  });

  it('changes nothing before a number is taken', () => {
    const numbering = new Numbering();
    expect([numbering.next(number(5)), numbering.next(undefined)]).toEqual([5, 1]);
    expect(numbering).toMatchObject({ kind: 'open', seq: 0 });
  });

  it.each([
    ['without a number', undefined, 'no number'],
    ['whose number goes back', number(9), 'go back, from 10 to 9'],
    ['whose number comes twice', number(10), 'go back, from 10 to 10'],
    ['of another numbering', number(11, true, 'other'), 'another numbering'],
  ])('counts by itself, far ahead and under another name, from a publication on %s', (_, given, why) => {
    const renamed: [string, string][] = [];
    const numbering = new Numbering(({ epoch }, reason) => renamed.push([epoch, reason]));
    take(numbering, number(10, false));
    const shared = numbering.name.epoch;
    const { seq } = take(numbering, given);
    expect(seq).toBe(10 + 2 ** 40);
    expect(numbering.name.epoch).not.toBe(shared);
    expect(numbering.name.former.at(-1)).toEqual({ epoch: shared, upToSeq: 10 });
    expect(renamed.at(-1)).toEqual([numbering.name.epoch, expect.stringContaining(why)]);
    // For good: what has gone back once cannot be trusted again.
    expect(take(numbering, number(11)).seq).toBe(seq + 1);
    expect(numbering.kind).toBe('own');
    expect(renamed).toHaveLength(2);
  });
});

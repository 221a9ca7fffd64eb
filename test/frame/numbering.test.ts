import { describe, expect, it } from 'vitest';
import type { SourceNumber } from '../../src/dataflow/source-number.ts';
import { Numbering } from '../../src/frame/numbering.ts';

const number = (seq: number, unbrokenFrom = 1, numbering = 'feed'): SourceNumber => ({ numbering, seq, unbrokenFrom });

function take(numbering: Numbering, given: SourceNumber | undefined) {
  const seq = numbering.next(given);
  const completeFrom = numbering.take(seq, given);
  return { seq, completeFrom };
}

describe('numbering', () => {
  it('counts from 1 where the source gives no numbers, under a name that no other has', () => {
    const numbering = new Numbering();
    const taken = [1, 2, 3].map(() => take(numbering, undefined));
    expect(taken).toEqual([1, 2, 3].map((seq) => ({ seq, completeFrom: undefined })));
    expect(numbering).toMatchObject({ kind: 'own', seq: 3, holes: 0, name: { former: [] } });
    expect(numbering.name.epoch).toMatch(/^[0-9a-f]{12}$/);
    expect(new Numbering().name.epoch).not.toBe(numbering.name.epoch);
  });

  it('takes the numbers of the source, under a name that every gateway gives it', () => {
    const [one, other] = [new Numbering(), new Numbering()];
    take(one, number(1_000, 1_000));
    take(one, number(1_001, 1_000));
    take(other, number(1_001, 1_001));
    expect(one.seq).toBe(1_001);
    expect(other).toMatchObject({ kind: 'source', seq: 1_001 });
    expect(other.name.epoch).toBe(one.name.epoch);
    expect(other.name.shared).toBe(other.name.epoch);
    const another = new Numbering();
    take(another, number(1_001, 1_001, 'another feed'));
    expect(another.name.epoch).not.toBe(one.name.epoch);
  });

  it('goes by the name that it had before the first publication, too, wherever a client has come to', () => {
    const numbering = new Numbering();
    const { epoch } = numbering.name;
    take(numbering, number(7));
    expect(numbering.name.former).toEqual([{ epoch, upToSeq: Number.MAX_SAFE_INTEGER }]);
  });

  it('says from where on nothing is missing: at the first number, and behind a hole, whoever came behind it first', () => {
    const holes: unknown[] = [];
    const numbering = new Numbering({ renamed() {}, hole: (hole) => holes.push(hole) });
    // 15 itself was refused on the way here.
    const given = [number(10, 10), number(11, 10), number(16, 15), number(18, 15), number(30, 30)];
    expect(given.map((each) => take(numbering, each).completeFrom)).toEqual([10, undefined, 15, undefined, 30]);
    expect(holes).toEqual([
      { fromSeq: 12, toSeq: 14 },
      { fromSeq: 19, toSeq: 29 },
    ]);
    expect(numbering.holes).toBe(2);
  });

  it('counts what could not be published here, but may have been elsewhere, as a hole', () => {
    const numbering = new Numbering();
    take(numbering, number(1));
    numbering.missed();
    expect([3, 4].map((seq) => take(numbering, number(seq)).completeFrom)).toEqual([3, undefined]);
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
    ['of another numbering', number(11, 1, 'other'), 'another numbering'],
    ['whose number is too high to go on from', number(2 ** 53 - 1), 'no number'],
    ['whose number is none', number(Number.POSITIVE_INFINITY), 'no number'],
    ['whose number is a fraction', number(10.5), 'no number'],
  ])('counts by itself, far ahead and under another name, from a publication on %s', (_, given, why) => {
    const renamed: [string, string][] = [];
    const numbering = new Numbering({ renamed: ({ epoch }, reason) => renamed.push([epoch, reason]), hole() {} });
    take(numbering, number(10));
    const shared = numbering.name.epoch;
    const { seq, completeFrom } = take(numbering, given);
    expect(seq).toBe(10 + 2 ** 40 + 1);
    // How far the numbering went elsewhere, nobody knows here.
    expect(completeFrom).toBe(seq);
    expect(numbering.name.shared).toBe(shared);
    expect(numbering.name.epoch).not.toBe(shared);
    expect(numbering.name.former.at(-1)).toEqual({ epoch: shared, upToSeq: 10 });
    expect(renamed.at(-1)).toEqual([numbering.name.epoch, expect.stringContaining(why)]);
    // For good: what has gone back once cannot be trusted again.
    expect(take(numbering, number(11)).seq).toBe(seq + 1);
    expect(numbering.kind).toBe('own');
    expect(renamed).toHaveLength(2);
  });
});

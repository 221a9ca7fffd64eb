import { describe, expect, it } from 'vitest';
import { Cohort } from '../../src/subscription/cohort.ts';
import { GatedSocket } from '../support/gated-socket.ts';
import { connectionOn } from '../support/test-connection.ts';

function members(count: number) {
  return Array.from({ length: count }, (_, serial) => connectionOn(new GatedSocket(), { serial }));
}

describe('Cohort', () => {
  it.each([0, 1, 2])('lets member %i of three go and keeps the others in their places', (leaver) => {
    const cohort = new Cohort('key');
    const all = members(3);
    for (const member of all) cohort.add(member);
    const gone = all[leaver]!;
    cohort.remove(gone);
    expect(gone.cohort).toBeUndefined();
    expect(new Set(cohort.members)).toEqual(new Set(all.filter((member) => member !== gone)));
    for (const [index, member] of cohort.members.entries()) expect(member.cohortIndex).toBe(index);
  });

  it('refuses a member of another cohort, and one that it does not have', () => {
    const [one, other] = members(2);
    const cohort = new Cohort('key');
    cohort.add(one!);
    expect(() => new Cohort('another').add(one!)).toThrow('one cohort at a time');
    expect(() => cohort.remove(other!)).toThrow('knows its place');
  });
});

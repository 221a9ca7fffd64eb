import { describe, expect, it } from 'vitest';
import type { Backlog } from '../../src/delivery/backlog.ts';
import { Cohort } from '../../src/subscription/cohort.ts';
import { GatedSocket } from '../support/gated-socket.ts';
import { connectionOn } from '../support/test-connection.ts';

/** Only that there is one counts here. */
const BACKLOG = {} as Backlog;

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

  it.each([0, 1, 2])('does so among those that are behind, too: %i of three', (leaver) => {
    const cohort = new Cohort('key');
    const [stayer, ...all] = members(4);
    cohort.add(stayer!);
    for (const member of all) member.backlog = BACKLOG;
    for (const member of all) cohort.add(member);
    expect([cohort.members, cohort.behind, cohort.size]).toEqual([[stayer], all, 4]);
    const gone = all[leaver]!;
    cohort.remove(gone);
    expect([gone.cohort, gone.cohortIndex]).toEqual([undefined, -1]);
    expect(new Set(cohort.behind)).toEqual(new Set(all.filter((member) => member !== gone)));
    for (const [index, member] of cohort.behind.entries()) expect(member.cohortIndex).toBe(index);
    expect([cohort.members, cohort.size]).toEqual([[stayer], 3]);
  });

  it('takes a member to the other kind when it leaves and comes again with a backlog, or without one', () => {
    const cohort = new Cohort('key');
    const [one, other] = members(2);
    for (const member of [one!, other!]) cohort.add(member);
    cohort.remove(one!);
    one!.backlog = BACKLOG;
    cohort.add(one!);
    expect([cohort.members, cohort.behind]).toEqual([[other], [one]]);
    cohort.remove(one!);
    one!.backlog = undefined;
    cohort.add(one!);
    expect([cohort.members, cohort.behind]).toEqual([[other, one], []]);
  });

  it('refuses to let a member go whose backlog began while it was in', () => {
    const cohort = new Cohort('key');
    const [one] = members(1);
    cohort.add(one!);
    one!.backlog = BACKLOG;
    expect(() => cohort.remove(one!)).toThrow('knows its place');
  });

  it('refuses a member of another cohort, and one that it does not have', () => {
    const [one, other] = members(2);
    const cohort = new Cohort('key');
    cohort.add(one!);
    expect(() => new Cohort('another').add(one!)).toThrow('one cohort at a time');
    expect(() => cohort.remove(other!)).toThrow('knows its place');
  });
});

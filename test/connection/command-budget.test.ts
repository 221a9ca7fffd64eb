import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandBudget } from '../../src/connection/command-budget.ts';

const START_MS = 1_700_000_000_000;

function takeMany(budget: CommandBudget, count: number, nowMs: number): number {
  let taken = 0;
  for (let i = 0; i < count; i++) if (budget.take(nowMs)) taken++;
  return taken;
}

describe('CommandBudget', () => {
  it('lets a burst of twice a second’s commands pass, and no more', () => {
    expect(takeMany(new CommandBudget(100, START_MS), 1_000, START_MS)).toBe(200);
  });

  it('fills again at so many a second, up to a burst', () => {
    const budget = new CommandBudget(100, START_MS);
    takeMany(budget, 1_000, START_MS);
    expect(takeMany(budget, 1_000, START_MS + 500)).toBe(50);
    expect(takeMany(budget, 1_000, START_MS + 510)).toBe(1);
    expect(takeMany(budget, 1_000, START_MS + 3_600_000)).toBe(200);
  });

  it('fills by fractions: a slow client that asks in between loses nothing', () => {
    const budget = new CommandBudget(1, START_MS);
    takeMany(budget, 10, START_MS);
    const taken = Array.from({ length: 100 }, (_, i) => budget.take(START_MS + (i + 1) * 100)).filter(Boolean);
    expect(taken.length).toBeGreaterThanOrEqual(9);
    expect(taken.length).toBeLessThanOrEqual(10);
  });

  it('does not fill when the clock is set back', () => {
    const budget = new CommandBudget(10, START_MS);
    takeMany(budget, 100, START_MS);
    expect(takeMany(budget, 100, START_MS - 60_000)).toBe(0);
    expect(takeMany(budget, 100, START_MS - 59_900)).toBe(1);
  });

  it('has no limit where there is none', () => {
    const budget = new CommandBudget(0, START_MS);
    expect(takeMany(budget, 100_000, START_MS)).toBe(100_000);
    expect(budget.refusedForMs(START_MS)).toBe(0);
  });

  it('never passes more than a burst and what it filled by meanwhile, nor refuses who keeps to the rate', () => {
    const pauses = fc.array(fc.tuple(fc.nat(3_000), fc.nat(60)), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), pauses, (perSecond, asked) => {
        const [greedy, even] = [new CommandBudget(perSecond, START_MS), new CommandBudget(perSecond, START_MS)];
        let nowMs = START_MS;
        let passed = 0;
        for (const [pauseMs, commands] of asked) {
          nowMs += pauseMs;
          passed += takeMany(greedy, commands, nowMs);
          expect(passed).toBeLessThanOrEqual(2 * perSecond + ((nowMs - START_MS) * perSecond) / 1_000 + 1e-6);
          const allowed = Math.floor((pauseMs * perSecond) / 1_000);
          expect(takeMany(even, allowed, nowMs)).toBe(Math.min(allowed, 2 * perSecond));
        }
      }),
    );
  });

  it('tells for how long a client has been refused without a pause', () => {
    const budget = new CommandBudget(10, START_MS);
    expect(budget.refusedForMs(START_MS)).toBe(0);
    for (let ms = 0; ms <= 12_000; ms += 10) budget.take(START_MS + ms);
    // The burst of 20 was gone after some 220 ms.
    expect(budget.refusedForMs(START_MS + 12_000)).toBeGreaterThan(11_500);
    expect(budget.refusedForMs(START_MS + 12_000)).toBeLessThan(12_000);
  });

  it('forgets a flood after a pause of two seconds', () => {
    const budget = new CommandBudget(10, START_MS);
    for (let ms = 0; ms <= 9_000; ms += 10) budget.take(START_MS + ms);
    expect(budget.refusedForMs(START_MS + 10_900)).toBeGreaterThan(10_000);
    expect(budget.refusedForMs(START_MS + 11_001)).toBe(0);
    for (let ms = 11_100; ms <= 11_500; ms += 1) budget.take(START_MS + ms);
    expect(budget.refusedForMs(START_MS + 11_500)).toBeLessThan(500);
  });

  it('answers as many refusals a second as commands are allowed', () => {
    const budget = new CommandBudget(5, START_MS);
    const answered = Array.from({ length: 3_000 }, (_, ms) => budget.mayReply(START_MS + ms)).filter(Boolean);
    expect(answered).toHaveLength(15);
  });
});

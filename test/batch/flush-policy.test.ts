import { describe, expect, it } from 'vitest';
import { AdaptivePolicy } from '../../src/batch/adaptive-policy.ts';
import { NO_SLOT } from '../../src/batch/batch.ts';
import { createFlushPolicy, FixedPolicy, type FlushDecision } from '../../src/batch/flush-policy.ts';
import { createConfig } from '../../src/config/load-config.ts';
import { dataTypeSlot } from '../../src/telemetry/statistics-block.ts';
import { adaptivePolicy } from '../support/adaptive-policy.ts';

/** Lets a policy see `count` passes of `costMs` each, one a ms, and returns when the last began and what it decided. */
function passes(policy: AdaptivePolicy, count: number, costMs: number, served = 1): [number, FlushDecision] {
  let decision: FlushDecision = 'at_once';
  for (let nowMs = 1; nowMs <= count; nowMs++) decision = policy.passed(nowMs, costMs, served);
  return [count, decision];
}

/** How long class `flushClass` waits from one pass to the next, ms. */
function periodMs(policy: AdaptivePolicy, begunMs: number, flushClass = 0): number {
  return policy.delayMs(flushClass, 0, begunMs);
}

describe('createFlushPolicy', () => {
  it.each([
    ['adaptive', AdaptivePolicy],
    ['fixed', FixedPolicy],
  ] as const)('makes the policy of batch.mode %s with its limits', (mode, type) => {
    const policy = createFlushPolicy(createConfig({ batch: { mode, maxMessages: 17, maxDelayMs: 5 } }).batch);
    expect(policy).toBeInstanceOf(type);
    expect(policy.messagesMax).toBe(17);
  });
});

describe('FixedPolicy', () => {
  const policy = new FixedPolicy(10, 1_000);

  it('flushes a batch when it has reached its age, counted from its first frame', () => {
    expect(policy.delayMs(0, 5_000, 5_000)).toBe(1_000);
    expect(policy.delayMs(0, 5_000, 5_999)).toBe(1);
    expect(policy.delayMs(0, 5_000, 6_000)).toBeLessThanOrEqual(0);
  });

  it('takes no notice of what passes cost', () => {
    expect(policy.passed()).toBe('fixed');
    policy.cameLate();
    expect([policy.gatherMs, policy.delayMs(0, 5_000, 5_000)]).toEqual([1_000, 1_000]);
  });

  it('flushes at once where no delay is allowed', () => {
    expect(new FixedPolicy(10, 0).delayMs(0, 5_000, 5_000)).toBeLessThanOrEqual(0);
  });
});

describe('AdaptivePolicy', () => {
  it('does not wait before its first pass, nor while passes are short', () => {
    const policy = adaptivePolicy(1_000, 10);
    expect(policy.delayMs(0, 0, 1)).toBeLessThanOrEqual(0);
    const [begunMs, decision] = passes(policy, 100, 0.1);
    expect([policy.gatherMs, decision]).toEqual([0, 'at_once']);
    expect(periodMs(policy, begunMs)).toBeLessThanOrEqual(0);
  });

  it('waits in proportion to what its passes cost', () => {
    const periods = [1, 2, 4, 8].map((costMs) => {
      const policy = adaptivePolicy(1_000, 1_000);
      expect(passes(policy, 60, costMs)[1]).toBe('load');
      return policy.gatherMs;
    });
    for (const [i, costMs] of [1, 2, 4, 8].entries()) expect(periods[i]! / costMs).toBeCloseTo(4, 3);
  });

  it('waits no longer than the longest delay, and says when the budget is what holds it', () => {
    const policy = adaptivePolicy(1_000, 10);
    const [begunMs, decision] = passes(policy, 60, 5);
    expect([policy.gatherMs, periodMs(policy, begunMs), decision]).toEqual([10, 10, 'budget']);
    expect(adaptivePolicy(1_000, 0).gatherMs).toBe(0);
  });

  it('keeps a fifth of its time free where the budget cannot be held, and says so', () => {
    const policy = adaptivePolicy(1_000, 10);
    expect(passes(policy, 60, 12)[1]).toBe('overrun');
    expect(policy.gatherMs).toBeCloseTo(15, 3);
  });

  it('counts the wait from the beginning of the last pass', () => {
    const policy = adaptivePolicy(1_000, 10);
    const [begunMs] = passes(policy, 60, 5);
    expect(policy.delayMs(0, 0, begunMs + 4)).toBe(6);
    expect(policy.delayMs(0, begunMs + 4, begunMs + 4)).toBe(6);
    expect(policy.delayMs(0, 0, begunMs + 10)).toBeLessThanOrEqual(0);
  });

  it('takes off its budget what its passes come late by, and gives it back when they do not any more', () => {
    const policy = adaptivePolicy(1_000, 10);
    passes(policy, 60, 5);
    for (let i = 0; i < 50; i++) policy.cameLate(3);
    const late = policy.gatherMs;
    expect(late).toBeGreaterThan(6);
    expect(late).toBeLessThan(7.5);
    for (let i = 0; i < 10; i++) policy.cameLate(1_000_000);
    expect(policy.gatherMs).toBeGreaterThan(late - 3);
    for (let i = 0; i < 5_000; i++) policy.cameLate(0);
    expect(policy.gatherMs).toBe(10);
  });

  it('lets data types wait for as long as each may, and frames of no type for as little as any', () => {
    const policy = adaptivePolicy(1_000, 10, { trade: 4, kline: 100 });
    const [trade, kline, ticker] = ['trade', 'kline', 'ticker'].map((type) => policy.classOf(dataTypeSlot(type)));
    expect([policy.classes, trade, ticker, kline, policy.classOf(NO_SLOT)]).toEqual([3, 0, 1, 2, 0]);
    const [begunMs] = passes(policy, 60, 2.6, 0b111);
    const periods = [0, 1, 2].map((flushClass) => periodMs(policy, begunMs, flushClass));
    for (const [i, period] of [3.5, 10, 4 * 2.6].entries()) expect(periods[i]).toBeCloseTo(period, 3);
  });

  it('counts the wait of each class from the last pass that served it', () => {
    const policy = adaptivePolicy(1_000, 10, { kline: 100 });
    const [begunMs] = passes(policy, 60, 5, 0b11);
    policy.passed(begunMs + 5, 5, 0b01);
    expect(periodMs(policy, begunMs + 5, 0)).toBe(10);
    expect(periodMs(policy, begunMs + 5, 1)).toBeCloseTo(15, 3);
  });

  it('takes no notice of passes that had nothing to write', () => {
    const policy = adaptivePolicy(1_000, 1_000);
    passes(policy, 60, 5);
    const before = policy.gatherMs;
    passes(policy, 60, 0.1, 0);
    expect(policy.gatherMs).toBe(before);
  });

  it('does not let one long pass decide, and shrinks again when passes do', () => {
    const policy = adaptivePolicy(1_000, 1_000);
    passes(policy, 60, 1);
    policy.passed(1_000, 9, 1);
    expect(policy.gatherMs).toBeLessThan(4 * 9 * 0.5);
    passes(policy, 60, 20);
    let before = policy.gatherMs;
    expect(before).toBeGreaterThan(50);
    for (let i = 1; i <= 60; i++) {
      policy.passed(i, 0.1, 1);
      expect(policy.gatherMs).toBeLessThanOrEqual(before);
      before = policy.gatherMs;
    }
    expect(policy.gatherMs).toBe(0);
  });
});

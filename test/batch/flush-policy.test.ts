import { describe, expect, it } from 'vitest';
import { AdaptivePolicy, createFlushPolicy, FixedPolicy } from '../../src/batch/flush-policy.ts';
import { createConfig } from '../../src/config/load-config.ts';

/** Lets a policy see `count` passes of `costMs` each, and returns when the last one ended. */
function passes(policy: AdaptivePolicy, count: number, costMs: number, fromMs = 0): number {
  let nowMs = fromMs;
  for (let i = 0; i < count; i++) {
    nowMs += costMs;
    policy.flushed(costMs, nowMs);
  }
  return nowMs;
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
    expect(policy.delayMs(5_000, 5_000)).toBe(1_000);
    expect(policy.delayMs(5_000, 5_999)).toBe(1);
    expect(policy.delayMs(5_000, 6_000)).toBeLessThanOrEqual(0);
  });

  it('takes no notice of what passes cost', () => {
    policy.flushed();
    expect([policy.gatherMs, policy.delayMs(5_000, 5_000)]).toEqual([1_000, 1_000]);
  });

  it('flushes at once where no delay is allowed', () => {
    expect(new FixedPolicy(10, 0).delayMs(5_000, 5_000)).toBeLessThanOrEqual(0);
  });
});

describe('AdaptivePolicy', () => {
  it('does not wait before its first pass, nor while passes are short', () => {
    const policy = new AdaptivePolicy(1_000, 10);
    expect(policy.delayMs(0, 1)).toBeLessThanOrEqual(0);
    const nowMs = passes(policy, 100, 0.2);
    expect(policy.gatherMs).toBe(0);
    expect(policy.delayMs(0, nowMs)).toBeLessThanOrEqual(0);
  });

  it('waits the longer the more its passes cost', () => {
    const delays = [1, 2, 4, 8, 16].map((costMs) => {
      const policy = new AdaptivePolicy(1_000, 1_000);
      passes(policy, 50, costMs);
      return policy.gatherMs;
    });
    for (const [i, delayMs] of delays.entries()) expect(delayMs).toBeGreaterThan(i === 0 ? 0 : delays[i - 1]!);
    // In proportion: the share of the time that is spent on writing stays the same.
    expect(delays[4]! / delays[0]!).toBeCloseTo(16, 1);
    expect(delays[4]!).toBeLessThanOrEqual(16);
  });

  it('never waits longer than the longest delay', () => {
    const policy = new AdaptivePolicy(1_000, 10);
    const nowMs = passes(policy, 50, 500);
    expect(policy.gatherMs).toBe(10);
    expect(policy.delayMs(0, nowMs)).toBe(10);
    expect(new AdaptivePolicy(1_000, 0).gatherMs).toBe(0);
  });

  it('counts the wait from the end of the last pass', () => {
    const policy = new AdaptivePolicy(1_000, 10);
    const nowMs = passes(policy, 50, 500);
    expect(policy.delayMs(0, nowMs + 4)).toBe(6);
    expect(policy.delayMs(nowMs + 4, nowMs + 4)).toBe(6);
    expect(policy.delayMs(0, nowMs + 10)).toBeLessThanOrEqual(0);
  });

  it('does not let one long pass decide, and shrinks again when passes do', () => {
    const policy = new AdaptivePolicy(1_000, 1_000);
    passes(policy, 50, 1);
    policy.flushed(9, 1_000);
    expect(policy.gatherMs).toBeLessThan(3);
    const nowMs = passes(policy, 50, 20, 1_000);
    const loaded = policy.gatherMs;
    let before = loaded;
    for (let i = 1; i <= 40; i++) {
      policy.flushed(0.1, nowMs + i);
      expect(policy.gatherMs).toBeLessThanOrEqual(before);
      before = policy.gatherMs;
    }
    expect(loaded).toBeGreaterThan(5);
    expect(policy.gatherMs).toBe(0);
  });
});

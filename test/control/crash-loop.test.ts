import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CrashLoop } from '../../src/control/crash-loop.ts';

const WINDOW_MS = 1_000;
let told: string[];

function loopOf(count: number): CrashLoop {
  return new CrashLoop({
    count,
    windowMs: WINDOW_MS,
    began: (crashes) => told.push(`began after ${crashes}`),
    ended: () => told.push('ended'),
  });
}

/** Up for so long, then a crash. */
function crashAfter(loop: CrashLoop, upMs: number): void {
  loop.cameUp();
  vi.advanceTimersByTime(upMs);
  loop.crashed();
}

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
});
afterEach(() => void vi.useRealTimers());

describe('a crash loop', () => {
  it('begins with so many crashes in a row, however far apart, and is told once', () => {
    const loop = loopOf(3);
    for (let crash = 1; crash <= 5; crash++) {
      crashAfter(loop, WINDOW_MS - 1);
      vi.advanceTimersByTime(60_000); // a long pause before it is run again
      expect(loop.isLooping).toBe(crash >= 3);
    }
    expect(told).toEqual(['began after 3']);
  });

  it('does not begin where the shard stays up for the window in between', () => {
    const loop = loopOf(2);
    for (let crash = 1; crash <= 5; crash++) crashAfter(loop, WINDOW_MS);
    expect(told).toEqual([]);
  });

  it('counts a run that does not come up at all', () => {
    const loop = loopOf(2);
    loop.crashed();
    loop.crashed();
    expect(told).toEqual(['began after 2']);
  });

  it('ends when the shard has stayed up for the window, and can begin again', () => {
    const loop = loopOf(1);
    loop.crashed();
    loop.cameUp();
    vi.advanceTimersByTime(WINDOW_MS - 1);
    expect(loop.isLooping).toBe(true);
    vi.advanceTimersByTime(1);
    expect(loop.isLooping).toBe(false);
    loop.crashed();
    expect(told).toEqual(['began after 1', 'ended', 'began after 1']);
  });

  it('is never one where none is wanted', () => {
    const loop = loopOf(0);
    for (let crash = 1; crash <= 20; crash++) loop.crashed();
    expect(told).toEqual([]);
  });

  it('leaves no timer behind when the gateway stops', () => {
    const loop = loopOf(1);
    loop.cameUp();
    loop.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});

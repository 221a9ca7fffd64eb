/** Calls between two looks at the clock. */
const CALLS_PER_LOOK = 256;

export interface Timing {
  calls: number;
  seconds: number;
  nsEach: number;
  perSecond: number;
}

/**
 * Calls `work(n)`, n counting from 0, for about `seconds`, after a tenth of that to warm up. What `work` does stays
 * small beside a call only if it is: for anything below 20 ns let one call do several.
 */
export function timeCalls(seconds: number, work: (n: number) => void): Timing {
  run(seconds / 10, work);
  return run(seconds, work);
}

function run(seconds: number, work: (n: number) => void): Timing {
  const begunMs = performance.now();
  const untilMs = begunMs + seconds * 1000;
  let calls = 0;
  let nowMs = begunMs;
  while (nowMs < untilMs) {
    for (let i = 0; i < CALLS_PER_LOOK; i++) work(calls++);
    nowMs = performance.now();
  }
  return timing(calls, (nowMs - begunMs) / 1000);
}

export function timing(calls: number, seconds: number): Timing {
  return { calls, seconds, nsEach: round((seconds * 1e9) / calls), perSecond: Math.round(calls / seconds) };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

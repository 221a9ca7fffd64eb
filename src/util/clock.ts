/**
 * The wall clock in microseconds. Node's own wall clock counts milliseconds, its fine clock counts from the thread's
 * start, so the two are joined here. NTP slews both alike; only a step (a resumed machine, a clock set by hand) parts
 * them, and `followSteps` mends that.
 */
const STEP_MS = 50;

let originMs = performance.timeOrigin;

/** Microseconds since the epoch, as a number below 2^53. The same on every thread of the process. */
export function nowUs(): number {
  return Math.round((originMs + performance.now()) * 1000);
}

/** Milliseconds since the epoch. */
export function nowMs(): number {
  return Date.now();
}

/** Call about once a second on each thread: takes over a step of the wall clock. Returns whether there was one. */
export function followSteps(): boolean {
  const apartMs = Date.now() - (originMs + performance.now());
  if (Math.abs(apartMs) < STEP_MS) return false;
  originMs += apartMs;
  return true;
}

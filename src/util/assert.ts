/**
 * Stops on a programmer's error. The thread that asserts dies, and the supervisor starts it again.
 * Never used on what comes from outside, nor on shared memory that is not validated yet.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}

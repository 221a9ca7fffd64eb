import { showValue } from '../config/value.ts';

/** A value of an argument that cannot be used; the message says which, and what is allowed. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(value: string, allowed: string) {
    super(`${showValue(value)} is not allowed; allowed: ${allowed}`);
  }
}

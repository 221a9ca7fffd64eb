import { inspect } from 'node:util';

/** Says what failed and why, whatever was thrown: strange values, of which String() itself throws, are spelled out. */
export function failureMessage(what: string, thrown: unknown): string {
  return `${what} failed: ${thrown instanceof Error ? thrown.message : inspect(thrown)}`;
}

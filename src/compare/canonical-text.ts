import { asFields, type Fields } from './fields.ts';

/** What is nested deeper counts as equal: a stack has an end. */
export const DEPTH_MAX = 64;

const PLAIN_NUMBER = /^-?\d+(?:\.\d+)?$/;
/** Digits up to which a double tells all numbers apart. */
const DIGITS_MAX = 15;

/**
 * A text that is the same for the same JSON value, whatever the order of its keys, and for a number and the text of it:
 * how a value is written is found out when two publications are compared, not when they are brought together.
 */
export function canonicalText(value: unknown, depth = 0): string {
  if (depth > DEPTH_MAX) return '';
  if (typeof value === 'string') return isNumberText(value) ? String(Number(value)) : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalText(item, depth + 1)).join()}]`;
  const fields = asFields(value);
  return fields === undefined ? String(value) : `{${members(fields, depth).join()}}`;
}

function members(fields: Fields, depth: number): string[] {
  return Object.keys(fields)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalText(fields[key], depth + 1)}`);
}

function isNumberText(text: string): boolean {
  return text.length <= DIGITS_MAX + 2 && PLAIN_NUMBER.test(text) && text.replace(/\D/g, '').length <= DIGITS_MAX;
}

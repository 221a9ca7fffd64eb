import { Refusal } from './refusal.ts';

/** How much of something is accepted: so many, or so large a share of all publications that were judged. */
export type Allowance = { readonly count: number } | { readonly percent: number };

export const ALLOWED_ALLOWANCES = 'a count such as 5, or a share of all publications such as 0.1%';

const COUNT = /^\d{1,15}$/;
const SHARE = /^(\d{1,3}(?:\.\d+)?)%$/;

export function readAllowance(text: string): Allowance {
  if (COUNT.test(text)) return { count: Number(text) };
  const percent = Number(SHARE.exec(text)?.[1]);
  if (!(percent <= 100)) throw new Refusal(text, ALLOWED_ALLOWANCES);
  return { percent };
}

/** @param total what a share is taken of */
export function isAllowed(allowance: Allowance, found: number, total: number): boolean {
  return 'count' in allowance ? found <= allowance.count : found * 100 <= allowance.percent * total;
}

/** As it was written. */
export function allowanceText(allowance: Allowance): string {
  return 'count' in allowance ? String(allowance.count) : `${allowance.percent}%`;
}

/** The two servers: the one that is replaced, and the one that takes its place. */
export const SIDES = ['old', 'new'] as const;
export type Side = (typeof SIDES)[number];

export function otherSide(side: Side): Side {
  return side === 'old' ? 'new' : 'old';
}

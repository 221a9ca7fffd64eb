import { invalidParameter } from './invalid-parameter.ts';

/** Of whom an answer tells: of this instance, or of all that share its port. */
const SCOPES = ['machine', 'instance'] as const;

export type Scope = (typeof SCOPES)[number];

/** The parameter `scope` of every request. Throws a 400 that says what is allowed. */
export function readScope(query: unknown): Scope {
  const { scope: value } = query as { scope?: unknown };
  if (value === undefined) return 'machine';
  const scope = SCOPES.find((each) => each === value);
  if (scope === undefined) throw invalidParameter('scope', value, `one of ${SCOPES.join(', ')}`);
  return scope;
}

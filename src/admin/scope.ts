import { invalidParameter, unknownParameter } from './invalid-parameter.ts';

/** Of whom an answer tells: of this instance, or of all that share its port. */
const SCOPES = ['machine', 'instance'] as const;

export type Scope = (typeof SCOPES)[number];

/**
 * The parameter `scope` of every request. Throws a 400 that says what is allowed; also for a parameter that there is not.
 * @param others parameters that this request may have besides
 */
export function readScope(query: unknown, others: readonly string[] = []): Scope {
  const known = ['scope', ...others];
  const unknown = Object.keys(query as object).find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownParameter(unknown, known);
  const { scope: value } = query as { scope?: unknown };
  if (value === undefined) return 'machine';
  const scope = SCOPES.find((each) => each === value);
  if (scope === undefined) throw invalidParameter('scope', value, `one of ${SCOPES.join(', ')}`);
  return scope;
}

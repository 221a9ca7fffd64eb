import { ApiError, errorBody } from './api-error.ts';

const VALUE_LENGTH_MAX = 100;

/** The answer to a query with a parameter that there is not: a slip of the pen must not get another answer than was meant. */
export function unknownParameter(given: string, known: readonly string[]): ApiError {
  const parameter = given.slice(0, VALUE_LENGTH_MAX);
  const allowed = `one of ${known.join(', ')}`;
  const message = `There is no parameter ${parameter} here; allowed is ${allowed}`;
  return new ApiError(400, errorBody('INVALID_REQUEST', message, { parameter, allowed }));
}

/** The answer to a parameter of a query that is not as it may be. */
export function invalidParameter(parameter: string, value: unknown, allowed: string): ApiError {
  const given = Array.isArray(value) ? `given ${value.length} times` : String(value).slice(0, VALUE_LENGTH_MAX);
  const detail = { parameter, given, allowed };
  return new ApiError(400, errorBody('INVALID_REQUEST', `The parameter ${parameter} has to be ${allowed}`, detail));
}

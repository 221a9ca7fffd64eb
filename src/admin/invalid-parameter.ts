import { ApiError, errorBody } from './api-error.ts';

const VALUE_LENGTH_MAX = 100;

/** The answer to a parameter of a query that is not as it may be. */
export function invalidParameter(parameter: string, value: unknown, allowed: string): ApiError {
  const given = Array.isArray(value) ? `given ${value.length} times` : String(value).slice(0, VALUE_LENGTH_MAX);
  const detail = { parameter, given, allowed };
  return new ApiError(400, errorBody('INVALID_REQUEST', `The parameter ${parameter} has to be ${allowed}`, detail));
}

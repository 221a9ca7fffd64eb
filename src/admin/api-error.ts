import { ERROR_CODES, type ErrorCode } from '../util/errors.ts';

/** The body of every answer that is not a success. */
export interface ErrorBody {
  error: { code: ErrorCode; message: string; detail?: Record<string, unknown> };
}

export function errorBody(
  code: ErrorCode,
  message: string = ERROR_CODES[code],
  detail?: Record<string, unknown>,
): ErrorBody {
  return { error: { code, message, ...(detail === undefined ? {} : { detail }) } };
}

/** Thrown by a handler: becomes an answer with this status. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly body: ErrorBody;

  constructor(status: number, body: ErrorBody) {
    super(body.error.message);
    this.status = status;
    this.body = body;
  }
}

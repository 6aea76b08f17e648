// Errors of the API: JSON with a code for each refusal of the namespace, and the HTTP status that S3 uses for it.

import { type S3Error, s3ErrorOf } from '../../../engine/s3/errors.ts';
import { ObjectError } from '../../../wire/object-error.ts';

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Undefined for a bug in this program. */
export function apiErrorOf(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  const refusal = s3ErrorOf(error);
  if (refusal === undefined) return undefined;
  const code = error instanceof ObjectError ? error.code : codeOf(refusal);
  return new ApiError(refusal.status, code, refusal.message, refusal.headers);
}

/** @example EntityTooLarge // ENTITY_TOO_LARGE */
function codeOf({ code }: S3Error): string {
  return code.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

// The HTTP status and headers of answers without data, in the form that Apollo Server reads.
import { HeaderMap } from '@apollo/server';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { CodedError } from '../../platform/errors/errors.ts';

export const httpStatus: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  PERSISTED_QUERY_NOT_FOUND: 404,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  BUSY: 503,
  DISK_FULL: 503,
};

/** A refusal with the corresponding HTTP status. */
export function refusal({ code, message, extensions }: CodedError): GraphQLError {
  return new GraphQLError(message, {
    extensions: { ...extensions, http: { status: httpStatus[code] ?? 400, headers: headersOf(extensions) } },
  });
}

/** An operation that could not be executed has the status of a refusal. Apollo Server would treat its variables as faulty, with 400. */
export function withStatus(result: ExecutionResult): ExecutionResult {
  const { data, errors } = result;
  if (data !== undefined || errors === undefined) return result;
  return { ...result, errors: errors.map(withOwnStatus) };
}

function withOwnStatus(error: GraphQLError): GraphQLError {
  const { message, extensions } = error;
  const status = httpStatus[String(extensions.code)];
  if (status === undefined) return error;
  return new GraphQLError(message, { extensions: { ...extensions, http: { status, headers: headersOf(extensions) } } });
}

function headersOf({ code, retryAfterMs }: Readonly<Record<string, unknown>>): HeaderMap {
  const headers = new HeaderMap();
  if (code === 'UNAUTHENTICATED') headers.set('www-authenticate', 'Bearer');
  // Caches may keep a 404, but the operation may be published at any time.
  if (code === 'PERSISTED_QUERY_NOT_FOUND') headers.set('cache-control', 'no-store');
  if (typeof retryAfterMs === 'number') headers.set('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  return headers;
}

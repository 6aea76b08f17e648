// The bound on an answer as text, over HTTP and on sockets. Each list is limited, but the texts in them add up.
import type { ExecutionResult, FormattedExecutionResult } from 'graphql';

/** Replaces an answer of `length` characters. */
export function tooLongAnswer(
  length: number,
  extensions: ExecutionResult['extensions'],
  most: number,
): FormattedExecutionResult {
  const message = `The answer has ${length} characters; at most ${most} are sent. A mutation was carried out: ask for fewer fields or items.`;
  const error = { message, extensions: { code: 'LIMIT_EXCEEDED', limit: 'answer', most } };
  return { errors: [error], ...(extensions === undefined ? {} : { extensions }) };
}

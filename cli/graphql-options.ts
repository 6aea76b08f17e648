// Options of the verbs that take a GraphQL operation from a file, and JSON on the command line.
import { isObject, type JsonObject, jsonIn } from '../platform/values/json.ts';
import { CommandFailure, UsageError } from './failures.ts';
import { one, text } from './option.ts';
import { readInput } from './read-input.ts';
import type { Surroundings } from './verb.ts';

export const operationOptions = {
  variables: one('JSON', 'Variables of the operation.', (given, name): JsonObject => {
    const value = jsonIn(given);
    if (isObject(value)) return value;
    throw new UsageError(`${name} must be a JSON object such as {"first": 20}`);
  }),
  operation: text('NAME', 'Name of the operation, where there are several.'),
} as const;

/** Of a driver's operation. */
export const argumentsOption = one(
  'JSON|FILE',
  'Arguments of the operation, as JSON; or the file that has them, - for standard input. Secrets belong into a file.',
  (given) => given,
);

/** Throws UsageError or CommandFailure. */
export async function readArguments(
  given: string | undefined,
  around: Pick<Surroundings, 'stdin' | 'signal'>,
): Promise<JsonObject> {
  if (given === undefined) return {};
  const isInline = given.trimStart().startsWith('{');
  const value = jsonIn(isInline ? given : await readInput(given, around));
  if (isObject(value)) return value;
  if (isInline) throw new UsageError('--arguments must be a JSON object such as {"name": "drop-blocked"}');
  throw new CommandFailure(`${given === '-' ? 'standard input' : given} has no JSON object with arguments`);
}

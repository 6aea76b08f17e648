// Options of the verbs that take a GraphQL operation from a file, and JSON on the command line.
import { isObject, type JsonObject, jsonIn } from '../platform/values/json.ts';
import { CommandFailure, UsageError } from './failures.ts';
import { one, text } from './option.ts';
import { readInput } from './read-input.ts';
import type { Surroundings } from './verb.ts';

/** The path of a file that has them. */
type GivenVariables = { readonly path: string } | { readonly variables: JsonObject };

export const operationOptions = {
  variables: one(
    'JSON|@FILE',
    'Variables of the operation, as JSON; or @ and the file that has them, as @vars.json; @- for standard input.',
    (given, name): GivenVariables => {
      if (given.startsWith('@') && given.length > 1) return { path: given.slice(1) };
      const variables = jsonIn(given);
      if (isObject(variables)) return { variables };
      throw new UsageError(`${name} must be a JSON object such as {"first": 20}, or @ and a file that has one`);
    },
  ),
  operation: text('NAME', 'Name of the operation, where there are several.'),
} as const;

/** `operationPath`: path of the operation's file, as given. Throws UsageError or CommandFailure. */
export async function readVariables(
  given: GivenVariables | undefined,
  operationPath: string,
  around: Pick<Surroundings, 'stdin' | 'signal'>,
): Promise<JsonObject> {
  if (given === undefined) return {};
  if ('variables' in given) return given.variables;
  const { path } = given;
  if (path === '-' && operationPath === '-')
    throw new UsageError('standard input has either the operation or its variables: give a file for one of them');
  const value = jsonIn(await readInput(path, around));
  const name = path === '-' ? 'standard input' : path;
  if (value === undefined)
    throw new CommandFailure(`${name} is not JSON: variables are a JSON object such as {"first": 20}`);
  if (isObject(value)) return value;
  throw new CommandFailure(`${name} has no JSON object: variables are one such as {"first": 20}`);
}

/** Arguments of a driver's operation. */
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

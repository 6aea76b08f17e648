// graphql-js quotes the values that it refuses, even a whole input with its password when another field is missing. The client knows the values, but
// logs and screens must not show them.
import { GraphQLError, type GraphQLFormattedError } from 'graphql';

/** The form in which every error leaves the gateway, over HTTP and sockets alike. */
export function formatError(error: GraphQLError | GraphQLFormattedError): GraphQLFormattedError {
  const shown = error instanceof GraphQLError ? error.toJSON() : error;
  return { ...shown, message: withoutValues(shown.message) };
}

/**
 * A message of graphql-js 16 (values.js, coerceInputValue.js, ValuesOfCorrectTypeRule, the built-in scalars, the parser) without
 * its values; any other message unchanged. The position and the expected type stay.
 */
export function withoutValues(message: string): string {
  const variable = /^Variable "(\$\w+)" got invalid value [\s\S]*$/.exec(message);
  if (variable !== null) return `Variable "${variable[1]}" got an invalid value${placeAndReason(message)}`;
  const literal = /^Expected value of type "([\w![\]]+)", found [\s\S]*$/.exec(message);
  if (literal !== null) return `Expected value of type "${literal[1]}"${reasonIn(message)}`;
  const argument = /^Argument "(\w+)" has invalid value [\s\S]*$/.exec(message);
  if (argument !== null) return `Argument "${argument[1]}" has an invalid value.`;
  const scalar = /^(\w+ cannot represent [\w -]+ value): [\s\S]*$/.exec(message);
  if (scalar !== null) return `${scalar[1]}.`;
  if (!message.startsWith('Syntax Error: ')) return message;
  return message.replace(/\b(String|BlockString|Int|Float|Name) "[\s\S]*"/, '$1');
}

/** The path of a variable's value, and its fault. */
function placeAndReason(message: string): string {
  // Uses the last match, because an earlier one is part of the value. A match inside the reason is not a known reason.
  const place = /^[\s\S]* at "([\w.[\]]+)"; [\s\S]*$/.exec(message)?.[1];
  return `${place === undefined ? '' : ` at "${place}"`}${reasonIn(message)}`;
}

const known: readonly RegExp[] = [
  /; (Field "[\w.]+" of required type "[\w![\]]+" was not provided\.)$/,
  /; (Field "\w+" is not defined by type "\w+"\.(?: Did you mean [\w", ]+\?)?)$/,
  /; (Expected type "[\w![\]]+" to be an object\.)$/,
  /; (Expected non-nullable type "[\w![\]]+" not to be null\.)$/,
  /; (Exactly one key must be specified for OneOf type "\w+"\.)$/,
  /; (Value "\w+" does not exist in "\w+" enum\.(?: Did you mean [^{}]{1,200}\?)?)$/,
  // The scalars of this graph (platform/graph/scalars.ts), which are never secrets.
  /; ((?:DateTime|Port|AsNumber|BigInt|IpAddress|CidrBlock|IpOrCidr): (?:"[^"\\]{0,64}"|-?[\d.]{1,20}|null|true|false) is not an? [\w ]+[;,][^{}"]{1,160})$/,
];
const scalarReason = /; ((?:\w+|Enum "\w+") cannot represent [\w -]+ value): [\s\S]*$/;

/** Includes only wordings that are known to contain no value. */
function reasonIn(message: string): string {
  for (const pattern of known) {
    const reason = pattern.exec(message)?.[1];
    if (reason !== undefined) return `; ${reason}`;
  }
  const scalar = scalarReason.exec(message)?.[1];
  return scalar === undefined ? '.' : `; ${scalar}.`;
}

// Details that graphql-js leaves out of its messages, for callers who may see the schema.
import { type GraphQLFormattedError, type GraphQLSchema, isEnumType } from 'graphql';

const mostValues = 12;

/** The values of an enum, if none is similar to the given one. Leaves other messages unchanged. */
export function withEnumValues(schema: GraphQLSchema, message: string): string {
  const name = /Value "\w+" does not exist in "(\w+)" enum\.$/.exec(message)?.[1];
  const type = name === undefined ? undefined : schema.getType(name);
  if (!isEnumType(type)) return message;
  const values = type.getValues().map((each) => each.name);
  const more = values.length > mostValues ? `, and ${values.length - mostValues} more` : '';
  return `${message} Its values are ${values.slice(0, mostValues).join(', ')}${more}.`;
}

export function withAdvice(schema: GraphQLSchema, error: GraphQLFormattedError): GraphQLFormattedError {
  return { ...error, message: withEnumValues(schema, error.message) };
}

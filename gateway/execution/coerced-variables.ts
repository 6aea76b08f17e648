// The variables of an operation in the types that it declares.
import { type GraphQLError, type GraphQLSchema, getVariableValues, type OperationDefinitionNode } from 'graphql';

/** Reported faults: each costs as much as a hundred values. */
const mostFaults = 20;

type CoercedVariables =
  | { readonly coerced: Readonly<Record<string, unknown>>; readonly errors?: never }
  | { readonly errors: readonly GraphQLError[]; readonly coerced?: never };

export function coercedVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): CoercedVariables {
  const { coerced, errors } = getVariableValues(schema, variableDefinitions, variables, { maxErrors: mostFaults });
  // After the last one, graphql-js adds an error which says that there are more.
  return errors === undefined ? { coerced } : { errors: errors.slice(0, mostFaults) };
}

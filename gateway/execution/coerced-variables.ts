// The variables of an operation in the types that it declares.
import { GraphQLError, type GraphQLSchema, getVariableValues, type OperationDefinitionNode } from 'graphql';

/** Limit of reported faults. Each costs as much as a hundred values. */
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
  // After the last error, graphql-js adds one about further errors.
  return errors === undefined ? { coerced } : { errors: errors.slice(0, mostFaults).map(withAdvice) };
}

/** graphql-js reports a missing variable, but not its place. */
function withAdvice(error: GraphQLError): GraphQLError {
  if (!/^Variable "\$\w+" of required type "[\w![\]]+" was not provided\.$/.test(error.message)) return error;
  const { message, nodes, source, positions } = error;
  return new GraphQLError(`${message} Send it in the field variables, beside query.`, {
    ...{ nodes: nodes ?? null, source: source ?? null, positions: positions ?? null },
  });
}
